-- Objects of many kinds, whose descriptions test/sql-system.test.ts compares.
SET client_min_messages = warning;
CREATE SCHEMA app;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN positive AS integer DEFAULT 1 CHECK (VALUE > 0);
CREATE DOMAIN app.code AS varchar(8) NOT NULL CONSTRAINT coded CHECK (VALUE ~ '^[A-Z]+$' AND length(VALUE) > 2);
CREATE TYPE pair AS (x integer, y text);
CREATE TABLE author (
  id serial PRIMARY KEY,
  name text NOT NULL,
  born date,
  feeling mood DEFAULT 'ok',
  UNIQUE (name)
);
CREATE TABLE book (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  author_id integer NOT NULL REFERENCES author ON DELETE CASCADE,
  title varchar(80) NOT NULL DEFAULT 'untitled',
  price numeric(10,2) CHECK (price >= 0),
  pages positive,
  tags text[],
  made timestamptz DEFAULT now(),
  total numeric GENERATED ALWAYS AS (price * 2) STORED,
  extra jsonb,
  CONSTRAINT priced CHECK (price < 1000 AND title <> ''),
  CONSTRAINT book_twice UNIQUE (author_id, title) DEFERRABLE INITIALLY DEFERRED
);
CREATE INDEX book_title ON book (lower(title), price DESC NULLS LAST) WHERE price > 10;
CREATE UNIQUE INDEX book_made ON book (made) INCLUDE (title);
CREATE INDEX "Odd name" ON book ((pages + 1), title);
CREATE TABLE app.note (
  book bigint REFERENCES book (id) ON UPDATE SET NULL DEFERRABLE,
  page smallint,
  body text,
  code app.code,
  PRIMARY KEY (book, page)
);
CREATE TABLE app.remark (
  book bigint,
  page smallint,
  "Said by" text,
  FOREIGN KEY (book, page) REFERENCES app.note MATCH FULL ON DELETE SET DEFAULT,
  CONSTRAINT said UNIQUE NULLS NOT DISTINCT ("Said by")
);
ALTER TABLE app.remark ADD COLUMN gone integer, ADD COLUMN kept integer DEFAULT 7;
ALTER TABLE app.remark DROP COLUMN gone;
CREATE VIEW cheap AS SELECT id, title, price FROM book WHERE price < 10;
CREATE VIEW app.counted AS
  SELECT a.name, count(*) AS books FROM author a JOIN book b ON b.author_id = a.id GROUP BY a.name;
CREATE SEQUENCE app.tick START 5 INCREMENT 5 MAXVALUE 500 CYCLE CACHE 3;
CREATE SEQUENCE loose AS smallint;
ALTER SEQUENCE loose OWNED BY book.pages;
CREATE TABLE measure (at date NOT NULL, city text, value float8) PARTITION BY RANGE (at);
CREATE TABLE measure_2024 PARTITION OF measure FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE measure_late PARTITION OF measure FOR VALUES FROM ('2025-01-01') TO (MAXVALUE);
CREATE TABLE measure_rest PARTITION OF measure DEFAULT;
CREATE INDEX measure_city ON measure (city);
CREATE TABLE place (id integer, land text, PRIMARY KEY (id, land)) PARTITION BY LIST (land);
CREATE TABLE place_north PARTITION OF place FOR VALUES IN ('se', 'no');
CREATE TABLE place_south PARTITION OF place FOR VALUES IN ('it') PARTITION BY HASH (id);
CREATE TABLE place_south_0 PARTITION OF place_south FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE FUNCTION add(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql IMMUTABLE STRICT AS 'SELECT a + b';
CREATE FUNCTION authors() RETURNS SETOF author LANGUAGE sql STABLE AS 'SELECT * FROM author';
CREATE FUNCTION app.both(IN a integer, OUT b integer, OUT c text) LANGUAGE sql AS $$ SELECT a, 'x' $$;
CREATE FUNCTION app.listed() RETURNS TABLE (id integer, name text) LANGUAGE sql AS 'SELECT id, name FROM author';
COMMENT ON TABLE author IS 'who writes';
COMMENT ON COLUMN author.name IS 'as printed';
COMMENT ON SCHEMA app IS 'the application';
COMMENT ON VIEW cheap IS 'what all can buy';
COMMENT ON TYPE mood IS 'how it is';
COMMENT ON INDEX book_title IS 'by title';
-- Expressions.
CREATE TABLE form (
  i integer, s smallint, l bigint, n numeric, f float8, t text, v varchar(20), c char(3), b boolean, d date,
  ts timestamp, tz timestamptz, iv interval, j jsonb, a integer[], u uuid, m mood,
  d1 integer DEFAULT -1, d2 text DEFAULT NULL, d3 numeric DEFAULT 1.50, d4 varchar(5) DEFAULT 'a''b',
  d5 date DEFAULT CURRENT_DATE, d6 timestamp DEFAULT CURRENT_TIMESTAMP, d7 boolean DEFAULT true,
  d8 text[] DEFAULT '{}', d9 jsonb DEFAULT '{"a": 1}', d10 bigint DEFAULT 10, d11 float8 DEFAULT 2.5,
  d12 uuid DEFAULT gen_random_uuid(), d13 integer DEFAULT (1 + 2) * 3, d14 text DEFAULT 'a' || 'b',
  d15 interval DEFAULT '1 day', d16 integer[] DEFAULT ARRAY[1, 2], d17 name DEFAULT current_user,
  CONSTRAINT k01 CHECK (i > 0 AND i < 10 OR i = 20),
  CONSTRAINT k02 CHECK (NOT (i = 5)),
  CONSTRAINT k03 CHECK (t IN ('a', 'b')),
  CONSTRAINT k04 CHECK (v IN ('a', 'b')),
  CONSTRAINT k05 CHECK (i IN (1, 2, 3)),
  CONSTRAINT k06 CHECK (i NOT IN (4, 5)),
  CONSTRAINT k07 CHECK (i BETWEEN 1 AND 10),
  CONSTRAINT k08 CHECK (t LIKE 'a%' AND t NOT LIKE '%z'),
  CONSTRAINT k09 CHECK (t ~ '^a+$'),
  CONSTRAINT k10 CHECK (t IS NOT NULL AND b IS TRUE),
  CONSTRAINT k11 CHECK (coalesce(t, 'x') <> 'y'),
  CONSTRAINT k12 CHECK (length(t) + 1 > i * 2 - 3),
  CONSTRAINT k13 CHECK ((i + s) * 2 > l),
  CONSTRAINT k14 CHECK (i - (s - 1) > 0),
  CONSTRAINT k15 CHECK (CASE WHEN i > 1 THEN true ELSE false END),
  CONSTRAINT k16 CHECK (CASE i WHEN 1 THEN 'a' WHEN 2 THEN 'b' END = t),
  CONSTRAINT k17 CHECK (d > '2020-01-01'),
  CONSTRAINT k18 CHECK (d >= DATE '2020-01-01' AND ts < '2030-01-01 12:00'),
  CONSTRAINT k19 CHECK (n::integer = i),
  CONSTRAINT k20 CHECK (i::text = t),
  CONSTRAINT k21 CHECK (j ->> 'a' = 'b'),
  CONSTRAINT k22 CHECK (a[1] = 1 AND a[1:2] = ARRAY[1, 2]),
  CONSTRAINT k23 CHECK (i = ANY (a)),
  CONSTRAINT k24 CHECK (upper(t) = t),
  CONSTRAINT k25 CHECK (greatest(i, s, 3) > 0),
  CONSTRAINT k26 CHECK (nullif(i, 0) IS NOT NULL),
  CONSTRAINT k27 CHECK (i IS DISTINCT FROM 3),
  CONSTRAINT k28 CHECK (b),
  CONSTRAINT k29 CHECK (NOT b),
  CONSTRAINT k30 CHECK (m = 'ok'),
  CONSTRAINT k31 CHECK (v = t AND c = 'abc'),
  CONSTRAINT k32 CHECK (f > 1.5 AND f < 2),
  CONSTRAINT k33 CHECK (l > 5000000000),
  CONSTRAINT k34 CHECK (-i < 5),
  CONSTRAINT k35 CHECK (extract(year FROM d) > 2000),
  CONSTRAINT k36 CHECK (t || v <> 'ab'),
  CONSTRAINT k37 CHECK (iv > interval '1 hour'),
  CONSTRAINT k38 CHECK ((i, s) = (1, 2)),
  CONSTRAINT k39 CHECK (substring(t from 1 for 2) = 'ab' AND trim(t) <> ''),
  CONSTRAINT k40 CHECK ((b OR i > 1) AND (t = 'x' OR NOT b)),
  CONSTRAINT k41 CHECK (tz < now() + interval '1 day'),
  CONSTRAINT k42 CHECK (position('a' in t) = 1),
  CONSTRAINT k43 CHECK (i % 2 = 0 AND i / 2 * 3 > 1),
  CONSTRAINT k44 CHECK (v LIKE 'x%')
);
-- Queries.
CREATE VIEW v01 AS SELECT * FROM author;
CREATE VIEW v02 AS SELECT DISTINCT name, upper(name) FROM author ORDER BY name DESC LIMIT 5 OFFSET 1;
CREATE VIEW v03 AS SELECT a.id, b.title FROM author a LEFT JOIN book b ON a.id = b.author_id AND b.price > 1;
CREATE VIEW v04 AS SELECT id FROM author UNION ALL SELECT pages FROM book;
CREATE VIEW v05 AS SELECT name FROM author WHERE EXISTS (SELECT 1 FROM book WHERE book.author_id = author.id);
CREATE VIEW v06 AS SELECT name FROM author WHERE id IN (SELECT author_id FROM book WHERE price > 5);
CREATE VIEW v07 AS WITH x AS (SELECT id FROM author) SELECT x.id FROM x;
CREATE VIEW v08 AS SELECT s.n FROM (SELECT count(*) AS n FROM book) s;
CREATE VIEW v09 AS SELECT name, row_number() OVER (PARTITION BY born ORDER BY name) AS r FROM author;
CREATE VIEW v10 AS SELECT author_id, sum(price) AS total, max(title) FROM book GROUP BY author_id HAVING sum(price) > 10;
CREATE VIEW v11 AS SELECT 'x' AS a, 1 AS b, NULL AS c, 1.5 AS d, true AS e;
CREATE VIEW v12 AS SELECT a.name, b.title FROM author a, book b WHERE a.id = b.author_id;
CREATE VIEW v13 (one, two) AS SELECT id, name FROM author;
CREATE VIEW v14 AS SELECT name, (SELECT max(price) FROM book b WHERE b.author_id = a.id) AS best FROM author a;
CREATE VIEW v15 AS SELECT a.name FROM author a JOIN book b USING (id) CROSS JOIN app.note;
CREATE VIEW v16 AS SELECT g FROM generate_series(1, 3) g;
CREATE VIEW v17 AS SELECT CASE WHEN id > 1 THEN 'many' ELSE 'one' END AS how, id + 1 AS next, -id AS less FROM author;
CREATE VIEW v18 AS VALUES (1, 'a'), (2, 'b');
CREATE VIEW v19 AS SELECT count(DISTINCT title) FILTER (WHERE price > 1), string_agg(title, ', ' ORDER BY title) FROM book;
CREATE VIEW v20 AS SELECT relname FROM pg_catalog.pg_class WHERE relkind = 'r';
CREATE VIEW v21 AS SELECT a.* FROM author a JOIN book b ON a.id = b.author_id WHERE b.tags @> ARRAY['x'] ORDER BY 2, a.id;
CREATE VIEW v22 AS SELECT price::integer AS p, title::text FROM book WHERE made > now() - interval '1 week';
CREATE VIEW v23 AS SELECT name AS n, born FROM author ORDER BY n, 2 DESC NULLS LAST;
CREATE VIEW v24 AS SELECT DISTINCT ON (b.author_id) b.author_id, b.title FROM book b ORDER BY b.author_id, b.made DESC;
CREATE VIEW v25 AS SELECT a.name FROM author a WHERE NOT EXISTS (SELECT FROM book b WHERE b.author_id = a.id AND b.price > ALL (SELECT price FROM book));
CREATE VIEW v26 AS SELECT a.name, x.title FROM author a, LATERAL (SELECT title FROM book b WHERE b.author_id = a.id LIMIT 1) x;
CREATE VIEW v27 AS SELECT sum(price) OVER w AS s FROM book WINDOW w AS (PARTITION BY author_id ORDER BY made);
CREATE VIEW v28 AS SELECT lower(title) AS l, count(*) FROM book GROUP BY lower(title), 1 ORDER BY lower(title), count(*);
CREATE VIEW v29 AS SELECT n FROM v08 UNION SELECT 1 EXCEPT SELECT 2;
CREATE VIEW v30 AS SELECT array_agg(id) AS ids, coalesce(max(price), 0) AS best FROM book;
CREATE VIEW v31 AS SELECT now() AS a, CURRENT_DATE AS b, current_user AS c, 'now'::date AS d, date '2020-01-01' AS e, '1.5'::numeric(4,2) AS f;
CREATE VIEW v32 AS SELECT add(id) AS one, add(id, 2) AS two FROM author;
CREATE VIEW v33 AS SELECT "Said by" AS "Who said" FROM app.remark r WHERE r."Said by" LIKE 'a_' OR r.page IS NULL;
-- Views follow what they read.
CREATE TABLE early (a integer, b text);
CREATE VIEW v34 AS SELECT early.a AS one, e.b AS said, early.* FROM early, early e (x, b) WHERE early.a > 1;
CREATE VIEW v35 AS SELECT a FROM early ORDER BY a;
ALTER TABLE early RENAME COLUMN a TO first;
ALTER TABLE early RENAME TO late;
