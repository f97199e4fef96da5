\conninfo
\echo :DBNAME :USER :ENCODING
create table authors (id serial primary key, name text not null unique, born date);
create table books (
  id bigint generated always as identity primary key,
  author int not null references authors on delete cascade,
  title varchar(80) not null,
  price numeric(8, 2) default 0 check (price >= 0),
  tags text[]
);
create index on books (title);
create view cheap as select title, price from books where price < 10;
comment on table books is 'what authors write';
-- COPY with the data in the script, and \copy both ways
copy authors (name, born) from stdin;
Ann	1970-01-01
Bob	\N
\.
\copy authors (name) from stdin
Cid
\.
\copy books (author, title, price, tags) from pstdin csv
\copy (select id, name from authors order by id) to stdout csv header
copy books (author, title, price, tags) to stdout (format csv, header, force_quote (title));
\copy nowhere from stdin
\dt
\d books
\d+ cheap
\di
-- ways to show a result
select * from authors order by id;
select * from authors where id = 1 \gx
\pset null '(none)'
select name, born from authors order by id;
\pset format csv
select name, born from authors order by id;
\pset format aligned
select 'line 1' || chr(10) || 'line 2' as lines, 'wide 漢字' as wide;
select i % 2 as row, i % 3 as col, i from generate_series(1, 6) i order by 1, 2 \crosstabview
-- variables and what psql knows of the last statement
\set who 'O''Hara'
insert into authors (name) values (:'who') returning id, name;
select id as ann from authors where name = 'Ann' \gset
\echo :ann :ROW_COUNT :ERROR :SQLSTATE
select count(*) as :"who" from authors where id = :ann;
\if :ERROR
\echo not here
\else
\echo here
\endif
select format('create table made_%s (n int)', i) from generate_series(1, 2) i \gexec
\dt made_*
-- types of a result, without running it
select 1 as a, 'x'::text as b, price, title, array[1] as c from books \gdesc
create table made_3 (n int) \gdesc
-- several statements in one message, blocks, errors
select 1 as one\; select 2 as two;
begin;
insert into authors (name) values ('Dan');
insert into authors (name) values ('Dan');
select 1;
rollback;
savepoint nowhere;
selec 1;
\echo :SQLSTATE :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE
select nothing from authors;
select 1 / 0;
create table if not exists books (n int);
\set ON_ERROR_ROLLBACK on
begin;
insert into authors (name) values ('Ann');
insert into authors (name) values ('Eve');
commit;
select name from authors order by id desc limit 1;
-- prepared, cursors, settings
prepare two (int) as select $1 * 2 as doubled;
execute two(21);
begin;
declare c cursor for select n from generate_series(1, 5) n;
fetch 2 from c;
move 1 from c;
fetch all from c;
commit;
\set FETCH_COUNT 2
select n from generate_series(1, 5) n;
\unset FETCH_COUNT
set application_name = 'psql of a test';
show application_name;
set datestyle = 'German, DMY';
select date '2026-02-03';
reset datestyle;
set time zone interval '-08:00' hour to minute;
show timezone;
select timestamptz '2026-02-03 12:00+00', interval '1 02:03:04' day to minute;
set time zone interval '+05:30' hour to minute;
show timezone;
reset timezone;
listen news;
notify news, 'hello';
\watch_is_not_a_command
truncate authors;
truncate authors cascade;
drop table books cascade;
