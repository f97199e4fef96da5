/** Expressions with dates, times and intervals, in three zones, and with JSON. */

const dates = `
date '2020-02-29'
date '20200229'
date '2020-2-9'
date 'January 8, 1999'
date 'Jan 8 1999'
date '8 Jan 1999'
date '1999-Jan-08'
date 'Jan-08-1999'
date '08-Jan-1999'
date '1/8/1999'
date '1/18/99'
date '99-Jan-08'
date '1999.008'
date 'J2451187'
date 'January 8, 99 BC'
date '0044-03-15 BC'
date '2020-02-30'
date '2019-02-29'
date '2020-13-01'
date '18/1/1999'
date '2020-01-01 10:00'
date 'infinity'
date '-infinity'
date 'epoch'
date 'abc'
date ''
date '2020'
date '5874897-12-31'
date '5874898-01-01'
date '4714-11-24 BC'
date '4714-11-23 BC'
date '0000-01-01'
date 'Sat Feb 29 2020'
date '2020-02-29' + 1
date '2020-03-01' - 1
date '2020-03-01' - date '2019-03-01'
date '5874897-12-31' + 1
date 'infinity' - date '2020-01-01'
date '2020-01-31' + interval '1 month'
date '2020-01-31' - interval '1 month 1 day'
date '2020-01-01' + time '10:30'
date '2020-01-01' = date '2020-01-01'
date '2020-01-01' < date 'infinity'
date '2020-01-01'::timestamp
date '2020-01-01'::timestamptz
date '2020-01-01'::text
'2020-01-01'::text::date
date '300000-01-01'::timestamp
time '10:20:30.5'
time '24:00:00'
time '24:00:01'
time '10:20 PM'
time '12:00 AM'
time '13:00 PM'
time '102030'
time '1020'
time 'allballs'
time '10:60'
time 'abc'
time '10:20:30.123456789'
time(2) '10:20:30.126'
time '23:59:59.9999999'
time '10:00' + interval '25 hours'
time '10:00' - interval '11 hours'
time '10:00' - time '08:30'
time '10:00' < time '10:01'
time '10:00'::interval
interval '25:30'::time
timestamp '2020-01-02 03:04:05.678'
timestamp '2020-01-02T03:04:05'
timestamp '20200102T030405'
timestamp '20200102 030405.25'
timestamp '2020-01-02 03:04'
timestamp '2020-01-02 3:4:5 PM'
timestamp '2020-01-02 03:04:05+05'
timestamp '2020-01-02 24:00:00'
timestamp '2020-01-02 25:00:00'
timestamp '2020-01-02 23:59:60'
timestamp '2020-01-02 10:61'
timestamp 'Jan 2 2020 10:00'
timestamp 'Thu Jan  2 10:00:00 2020'
timestamp 'infinity'
timestamp '-infinity'
timestamp 'epoch'
timestamp 'epoch 01:01:01'
timestamp 'infinity 01:01:01'
timestamp '294276-12-31 23:59:59.999999'
timestamp '294277-01-01'
timestamp '4714-11-24 00:00:00 BC'
timestamp '4714-11-23 BC'
timestamp '0001-01-01 BC'
timestamp 'nonsense'
timestamp '2020-01-02 10:00 foo'
timestamp(0) '2020-01-02 03:04:05.5'
timestamp(2) '2020-01-02 03:04:05.678'
timestamp '1999-12-31 23:59:59.9999999'
timestamp '2020-01-31' + interval '1 month'
timestamp '2020-03-31 10:00' - interval '1 month 1 day 1 hour'
timestamp '2020-02-29' + interval '1 year'
timestamp '2020-02-29' - interval '1 year'
timestamp '294276-12-31' + interval '1 year'
timestamp '2020-01-03 10:00' - timestamp '2020-01-01 12:00'
timestamp 'infinity' - interval '1 day'
timestamp '2020-01-01' < timestamp '2020-01-02'
timestamp '2020-01-01' - '2019-12-31'
age(timestamp '2020-03-01', timestamp '2019-12-31')
age(timestamp '2019-12-31 10:00', timestamp '2020-03-01 12:00')
age(timestamp '2020-02-29', timestamp '2019-02-28 00:00:01')
age(date '2020-03-31', date '2020-02-29')
date_trunc('month', timestamp '2020-05-17 10:20:30')
date_trunc('week', timestamp '2020-05-17 10:20:30')
date_trunc('quarter', timestamp '2020-05-17 10:20:30')
date_trunc('decade', timestamp '2027-05-17')
date_trunc('century', timestamp '2027-05-17')
date_trunc('millennium', timestamp '2027-05-17')
date_trunc('century', timestamp '0055-05-17 BC')
date_trunc('hour', timestamp '1999-05-17 10:20:30')
date_trunc('ms', timestamp '1999-05-17 10:20:30.123456')
date_trunc('foo', timestamp '1999-05-17')
date_trunc('dow', timestamp '1999-05-17')
date_trunc('day', timestamp 'infinity')
date_trunc('hour', interval '1 day 10:20:30')
date_trunc('year', interval '25 months 3 days')
date_trunc('week', interval '1 day')
extract(year from timestamp '2020-05-17')
extract(year from date '0044-03-15 BC')
extract(month from date '2020-05-17')
extract(day from date '2020-05-17')
extract(hour from date '2020-05-17')
extract(hour from timestamp '2020-05-17 13:14:15.678')
extract(minute from timestamp '2020-05-17 13:14:15.678')
extract(second from timestamp '2020-05-17 13:14:15.678')
extract(milliseconds from timestamp '2020-05-17 13:14:15.678')
extract(microseconds from timestamp '2020-05-17 13:14:15.678')
extract(dow from date '2020-05-17')
extract(isodow from date '2020-05-17')
extract(doy from date '2020-05-17')
extract(week from date '2021-01-01')
extract(isoyear from date '2021-01-01')
extract(quarter from date '2020-05-17')
extract(decade from date '2020-05-17')
extract(century from date '2000-12-31')
extract(century from date '2001-01-01')
extract(millennium from date '2001-01-01')
extract(century from date '0055-01-01 BC')
extract(epoch from timestamp '2020-05-17 13:14:15.678')
extract(epoch from date '2020-05-17')
extract(julian from timestamp '2020-05-17 12:00')
extract(julian from date '2020-05-17')
extract(foo from date '2020-05-17')
extract(timezone from timestamp '2020-05-17')
extract(year from timestamp 'infinity')
extract(day from timestamp 'infinity')
extract(epoch from interval '1 year 2 mons 3 days 04:05:06')
extract(day from interval '40 days')
extract(hour from interval '-30:15')
extract(quarter from interval '8 months')
extract(second from time '10:20:30.5')
extract(epoch from time '10:20:30.5')
extract(day from time '10:20')
date_part('year', timestamp '2020-05-17')
date_part('second', timestamp '2020-05-17 13:14:15.678')
date_part('epoch', date '2020-05-17')
make_date(2020, 2, 29)
make_date(2019, 2, 29)
make_date(-44, 3, 15)
make_date(0, 1, 1)
make_time(10, 20, 30.5)
make_time(25, 0, 0)
make_timestamp(2020, 2, 29, 10, 20, 30.5)
isfinite(date 'infinity')
isfinite(timestamp '2020-01-01')
timestamp '2020-01-01 10:00'::date
timestamp '2020-01-01 10:00'::time
timestamp '2020-01-01 10:00'::text
`;

const intervals = `
interval '1 day'
interval '1 year 2 months 3 days 4 hours 5 minutes 6.789 seconds'
interval '1-2'
interval '1-2 3 4:05:06'
interval '-1-2 +3 -4:05:06'
interval '3 4:05:06'
interval '4:05'
interval '4:05.5'
interval '1'
interval '1.5 days'
interval '1.5 months'
interval '1.5 years'
interval '1.5 weeks'
interval '0.5 hours'
interval '1 week 2 days'
interval '1 decade 1 century 1 millennium'
interval '100 milliseconds 5 microseconds'
interval '-1 day +02:03:04'
interval '1 day -02:03:04'
interval '-1 mon +3 days'
interval '1 day ago'
interval '@ 1 hour 2 mins ago'
interval 'P1Y2M3DT4H5M6.7S'
interval 'PT36H'
interval 'P2W'
interval '1 hour 1 hour'
interval 'foo'
interval ''
interval '1 foo'
interval '1 day' day
interval '10' minute
interval '1-2' year to month
interval '1 day 02:03:04' hour to minute
interval '1.23456' second(2)
interval(1) '1.26 seconds'
interval '99999999999 years'
interval '1 day' + interval '25 hours'
interval '1 month' - interval '31 days'
- interval '1 day 02:00'
interval '1 day' * 1.5
interval '1 month' * 0.5
interval '1 year 1 month' / 7
interval '1 day' / 0
2 * interval '1 hour 30 minutes'
interval '1 month' = interval '30 days'
interval '1 day' < interval '25 hours'
interval '1 month' > interval '29 days'
justify_hours(interval '50 hours')
justify_days(interval '65 days')
justify_interval(interval '1 mon -1 hour')
interval '1 day'::text
'1 day'::text::interval
'1 day'::interval::time
interval '0'
interval '9223372036854775807 microseconds'
interval '-00:00:01'
interval '1 mon -1 day'
interval '23:59:59.9999999'
`;

const zoned = `
timestamptz '2020-01-02 03:04:05'
timestamptz '2020-07-02 03:04:05'
timestamptz '2020-01-02 03:04:05+00'
timestamptz '2020-01-02 03:04:05-08:30'
timestamptz '2020-01-02 03:04:05 PST'
timestamptz '2020-01-02 03:04:05 America/New_York'
timestamptz '2020-07-02 03:04:05 Europe/London'
timestamptz '2020-01-02T03:04:05Z'
timestamptz '2020-01-02 03:04:05 UTC'
timestamptz '2020-01-02 03:04:05 Nowhere/Land'
timestamptz '2020-01-02 03:04:05+16'
timestamptz '2020-03-29 02:30:00'
timestamptz '2020-10-25 02:30:00'
timestamptz '2020-03-08 02:30:00'
timestamptz '2020-11-01 01:30:00'
timestamptz '1900-01-01 00:00:00'
timestamptz '1800-01-01 00:00:00'
timestamptz '1945-07-01 00:00:00'
timestamptz '2100-07-01 00:00:00'
timestamptz '9999-07-01 00:00:00'
timestamptz '290000-07-01 00:00:00'
timestamptz '0001-01-01 00:00:00 BC'
timestamptz 'infinity'
timestamptz 'epoch'
timestamptz '2020-03-28 12:00' + interval '1 day'
timestamptz '2020-03-28 12:00' + interval '24 hours'
timestamptz '2020-10-24 12:00' + interval '1 day'
timestamptz '2020-01-31 12:00' + interval '1 month'
timestamptz '2020-07-01' - timestamptz '2020-01-01'
timestamptz '2020-07-01'::timestamp
timestamptz '2020-07-01 23:30'::date
timestamptz '2020-07-01 23:30'::time
timestamp '2020-07-01 10:00'::timestamptz
date '2020-07-01'::timestamptz
timestamp '2020-07-01 10:00' at time zone 'America/New_York'
timestamptz '2020-07-01 10:00+00' at time zone 'Asia/Kolkata'
timestamptz '2020-07-01 10:00+00' at time zone interval '-03:00'
timestamptz '2020-07-01 10:00+00' at time zone 'nowhere'
timestamptz '2020-07-01 10:00+00' at time zone '+03'
timestamptz '2020-07-01 10:00+00' at time zone 'PST'
date_trunc('day', timestamptz '2020-03-29 12:00')
date_trunc('hour', timestamptz '2020-10-25 02:30:00')
date_trunc('month', timestamptz '2020-07-15', 'America/New_York')
extract(hour from timestamptz '2020-07-01 10:00+00')
extract(timezone from timestamptz '2020-07-01 10:00+00')
extract(timezone_hour from timestamptz '2020-07-01 10:00+00')
extract(timezone_minute from timestamptz '2020-07-01 10:00+00')
extract(epoch from timestamptz '2020-07-01 10:00+00')
date_part('epoch', timestamptz '2020-07-01 10:00:00.25+00')
age(timestamptz '2020-07-01', timestamptz '2020-01-15')
to_timestamp(1593597600.5)
to_timestamp('infinity')
make_timestamptz(2020, 7, 1, 10, 0, 0)
timestamptz '2020-07-01' = timestamp '2020-07-01'
timestamptz '2020-07-01' < date '2020-07-02'
timestamptz '2020-07-01 10:00'::text
to_json(timestamptz '2020-07-01 10:00')
to_jsonb(timestamptz '2020-07-01 10:00')
timestamptz '2020-01-01 00:00' > timestamptz 'infinity'
`;

const json = String.raw`
'{"a":1'::json
'{"a":}'::jsonb
'{a:1}'::json
'"abc'::json
'[1,]'::json
'[1 2]'::json
'{"a" 1}'::json
'{"a":1,}'::json
'{"a":1 "b"}'::json
'{1:2}'::json
''::json
'nul'::json
'"\u0000"'::jsonb
'"\u0000"'::json
'"\ud800"'::jsonb
'"\ud83d\ude00"'::jsonb
'"\u12"'::jsonb
'01'::json
'-'::json
'1.'::json
'1 2'::json
'"\x"'::json
'{} x'::json
'@'::json
'{"b":1.50,"a":[true,null,"x\u00e9\n"],"aa":{}}'::jsonb
'{"a":1,"a":2}'::jsonb
'{"a":1,"a":2}'::json
' { "a" : [ 1 , 2 ] } '::json
'1e5'::jsonb
'1E-5'::jsonb
'-0.0'::jsonb
'12345678901234567890.123'::jsonb
'"\t\"\\\/"'::jsonb
'[]'::jsonb
'{}'::jsonb
'null'::jsonb
'{"é":1,"zz":2,"a":3}'::jsonb
'{"a":1}'::jsonb || '[2]'
'[1]'::jsonb || '{"a":2}'
'1'::jsonb || '2'
'{"a":1,"b":2}'::jsonb || '{"b":3,"c":4}'
'{"a":1}'::jsonb - 0
'{"a":1,"b":2}'::jsonb - 'a'
'1'::jsonb - 'a'
'[1,"a","a"]'::jsonb - 'a'
'[1,2,3]'::jsonb - -1
'[1,2,3]'::jsonb - 9
'{"a":1,"b":2}'::jsonb - '{a,b}'::text[]
'{"a":{"b":[10,20]}}'::jsonb #>> '{a,b,-1}'
'{"a":{"b":[10,20]}}'::jsonb #> '{a,x}'
'{"a":{"b":[10,20]}}'::jsonb #> '{}'
'{"a":{"b": [10,20]}}'::json #> '{a,b}'
'{"a":"x\ny"}'::json #>> '{a}'
'{"a": 1, "b" : [1,  2]}'::json -> 'b'
'[1, {"x" : 2}]'::json -> 1
'[1,2]'::json -> -1
'[1,2]'::json -> 5
'{"a":null}'::json ->> 'a'
'{"a":"b\u00e9"}'::json ->> 'a'
'{"a":{"b":1}}'::jsonb -> 'a' -> 'b'
'{"a":"x"}'::jsonb ->> 'a'
'{"a":[1]}'::jsonb ->> 'a'
'[1,2]'::jsonb ->> 0
'[1,2]'::jsonb -> 'a'
'"12"'::jsonb::int4
'12.6'::jsonb::int4
'true'::jsonb::bool
'1.5'::jsonb::numeric
'null'::jsonb::int4
'[1]'::jsonb::float8
'{"a":1}'::jsonb @> '{"a":1}'
'{"a":{"b":1,"c":2}}'::jsonb @> '{"a":{"c":2}}'
'[1,2,[3]]'::jsonb @> '[1]'
'[1,2,[3]]'::jsonb @> '[[3]]'
'[1]'::jsonb @> '1'
'1'::jsonb @> '[1]'
'[[1]]'::jsonb @> '1'
'{"a":1.0}'::jsonb @> '{"a":1}'
'{"a":1}'::jsonb <@ '{"a":1,"b":2}'
'["a"]'::jsonb ? 'a'
'"a"'::jsonb ? 'a'
'{"a":1}'::jsonb ?| '{a,b}'
'{"a":1}'::jsonb ?& '{a,b}'
'{"a":[1,{"b":2}]}'::jsonb #- '{a,1,b}'
'{"a":[1,2]}'::jsonb #- '{a,x}'
'1'::jsonb #- '{a}'
jsonb_set('{"a":[1,2]}', '{a,1}', '9')
jsonb_set('{"a":1}', '{b}', '9', false)
jsonb_set('{"a":1}', '{b}', '9')
jsonb_set('[1,2]', '{-5}', '9')
jsonb_set('[1,2]', '{5}', '9')
jsonb_set('1', '{a}', '9')
jsonb_insert('{"a":[1,2]}', '{a,1}', '9')
jsonb_insert('{"a":[1,2]}', '{a,1}', '9', true)
jsonb_insert('{"a":1}', '{a}', '9')
jsonb_strip_nulls('{"a":null,"b":[null,{"c":null}]}')
json_strip_nulls('{"a":null, "b":[null]}')
jsonb_pretty('{"a":[1,{"b":2}],"c":{}, "d":[]}')
jsonb_array_length('[1,2]')
jsonb_array_length('{"a":1}')
json_array_length('1')
json_typeof('{}')
jsonb_typeof('null')
jsonb_typeof('1.5')
json_build_object('a', 1, 'b', null, 'c', true, 'd', 1.50, 'e', '{"x" :1}'::json)
jsonb_build_object('a', 1, 'b', null, 'c', true, 'd', 1.50, 'e', '{"x" :1}'::json)
json_build_object('a')
json_build_object(null, 1)
json_build_object()
json_build_array(1, 'a', null, date '2020-01-01')
jsonb_build_array(1, 'a', null, 1.5::float8)
json_build_object(1, 2, date '2020-01-01', 3)
to_json('a"b'::text)
to_jsonb(1.50)
to_json('NaN'::float8)
to_jsonb('NaN'::numeric)
to_json(true)
to_json(timestamp '2020-01-01 10:00:01.5')
to_jsonb(interval '1 day')
to_json('{"a" : 1}'::json)
to_jsonb('{"a" : 1}'::json)
json_extract_path('{"a":{"b":1}}', 'a', 'b')
jsonb_extract_path_text('{"a":{"b":"x"}}', 'a', 'b')
'[]'::jsonb < 'null'::jsonb
'{}'::jsonb > '[1]'::jsonb
'[1,2]'::jsonb < '[1,3]'::jsonb
'{"a":1}'::jsonb = '{"a":1.0}'::jsonb
'"a"'::jsonb < '1'::jsonb
'true'::jsonb > '1'::jsonb
'{"a":1}'::jsonb::json
'{"a" : 1}'::json::jsonb
'{"a":1}'::jsonb::text
'{a,"b c",NULL,"x\"y"}'::text[]
'{a'::text[]
`;

export const dateExpressions: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries({
    dates,
    intervals,
    json,
    'zone:UTC': zoned,
    'zone:Europe/Berlin': zoned,
    'zone:America/New_York': zoned,
    'zone:Asia/Kolkata': zoned,
  }).map(([name, list]) => [name, list.trim().split('\n')]),
);
