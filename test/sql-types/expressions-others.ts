/** Expressions with bytea, uuid and to_char(), and choices among operators and functions. */

const binary = String.raw`
'\x00ff'::bytea
'abc'::bytea
E'a\\000b'::bytea
E'a\\\\b'::bytea
E'\\x0g'::bytea
E'\\x012'::bytea
E'a\\b'::bytea
'\x'::bytea
'\x01'::bytea || '\x02'::bytea
length('\x010203'::bytea)
octet_length('\x010203'::bytea)
'\x01'::bytea < '\x0100'::bytea
substr('\x01020304'::bytea, 2, 2)
get_byte('\x0102'::bytea, 1)
set_byte('\x0102'::bytea, 1, 255)
md5('\x616263'::bytea)
position('\x02'::bytea in '\x010203'::bytea)
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid
'{A0EEBC999C0B4EF8BB6D6BB9BD380A11}'::uuid
'a0ee-bc99-9c0b-4ef8-bb6d-6bb9-bd38-0a11'::uuid
'a0eebc99-9c0b-4ef8-bb6d'::uuid
'x'::uuid
'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid < 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid
length(gen_random_uuid()::text)
`;

const resolution = `
1 + 'a'::text
'1' + '2'
'a' + 1
foo(1, 'x')
foo()
abs('5')
abs('x')
round('1.5')
length(5)
upper(5)
upper(5::text)
lower(1, 2)
1 ~~ 2
not 5
true and 1
1 || 2
now() + 1
date '2020-01-01' + '1 day'
date '2020-01-01' + '1'
'2020-01-01' - date '2019-12-31'
'5' * interval '1 day'
1 = 'x'
1 = '1'
'1' = 1.5
true = 'yes'
null = 1
1 = null::text
date '2020-01-01' = '2020-01-01'
date '2020-01-01' = timestamp '2020-01-01'
date '2020-01-01' < timestamptz '2020-01-02'
timestamp '2020-01-01 10:00' > date '2020-01-01'
1::oid = 1
1::int8 = 1::oid
json '{}' = json '{}'
uuid 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'
5::uuid
true::float8
1::timestamp
now()::int4
'{}'::jsonb::int4
to_json('a')
round(1.5::float8, 1)
substr(12345, 2)
left('abc', 1.0)
repeat('a', '3')
mod(5, 2.5)
power(2, '3')
atan2('1', 1)
concat(1, 'a', null)
'a'::unknown
- 'a'
- '5'
+ '5'
@ '-5'
'5' % 3
'5' % 3.0
`;

const formats = `
to_char(timestamp '2020-05-07 13:04:05.678', 'YYYY-MM-DD HH24:MI:SS.MS')
to_char(date '2020-05-07', 'Day, DD Mon YYYY')
to_char(timestamp '2020-05-07 13:04:05', 'FMMonth FMDD, YYYY "at" HH12:MI am')
to_char(timestamp '2020-05-07', 'D DDD ID IYYY-IW Q WW CC J')
to_char(timestamp '2021-01-03 00:00', 'IDDD IY RM rm DAY dy DDth FMDDth SSSS Y,YYY Q W BC')
to_char(timestamp '0044-03-15 BC', 'YYYY-MM-DD AD')
to_char(timestamptz '2020-07-01 10:00', 'YYYY-MM-DD HH24:MI:SS OF TZH:TZM')
to_char(timestamptz '2020-07-01 10:00', 'TZ')
to_char(timestamp 'infinity', 'YYYY')
to_char(interval '1 day 02:03:04', 'HH24:MI:SS')
to_char(interval '3 years 2 mons 400 hours', 'YYYY MM DD HH24')
to_char(1234.5, '9,999.99')
to_char(-12, '999')
to_char(12, '0000')
to_char(1234567, 'FM9,999,999')
to_char(0.5, '0.00')
to_char(0.5, '9.99')
to_char(0.5, '99.99')
to_char(0, '99')
to_char(0, '9.9')
to_char(12345, '999')
to_char(-12345.678, '999,999.9')
to_char(12, 'S999')
to_char(-12, '999S')
to_char(-12, '999MI')
to_char(12, '999MI')
to_char(-12, '999PR')
to_char(12, 'FM999.00')
to_char(12.5, 'FM999.99')
to_char(100, 'FM999.')
to_char(0.1::float8, '0.999')
to_char(1234567890123::int8, '9999999999999')
to_char(-0.5, '0.0')
to_char(-0.04, '0.0')
to_char(1234, '$9999')
to_char(-1, '"x"99')
`;

export const otherExpressions: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries({ binary, resolution, formats }).map(([name, list]) => [
    name,
    list.trim().split('\n'),
  ]),
);
