CREATE TABLE t (id int PRIMARY KEY, a int, b int);
INSERT INTO t SELECT i, i % 7, i % 5 FROM generate_series(1, 300) i;
SELECT count(*) FROM t WHERE a = ANY (SELECT t.b FROM generate_series(1, 6) AS g);
SELECT count(*) FROM t WHERE EXISTS (SELECT 1 FROM (SELECT t.a AS y FROM generate_series(1, 3) g) q WHERE q.y = 3);
SELECT count(*) FROM t WHERE NOT EXISTS (SELECT 1 FROM (SELECT t.a AS y, g FROM generate_series(1, 3) g) q WHERE q.y = q.g AND g > t.b);
SELECT count(*) FROM t WHERE a IN (SELECT u.b + t.b FROM t AS u WHERE u.id < t.id);
