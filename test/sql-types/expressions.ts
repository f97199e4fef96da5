/** Expressions whose answers must be PostgreSQL's: type, text, or error. One family after another. */

const numbers = `
1 + 2
2147483647 + 1
-2147483648 - 1
32767::int2 + 1::int2
9223372036854775807 + 1
(-9223372036854775808)::int8 / -1
7 / 2
-7 / 2
-7 % 3
1 / 0
1::int8 % 0
5 % 0
0 * -1
abs(-5)
abs((-2147483648)::int4)
- (-2147483648)::int4
@ -5
5 & 3
5 | 3
5 # 3
~ 5
1 << 33
1::int8 << 33
-1 >> 1
1::int2 << 15
'12' + 1
' 12 '::int4
'1_000'::int4
'0x1F'::int4
'0b101'::int8
'0o17'::int4
'abc'::int4
''::int4
'99999999999'::int4
'-32769'::int2
'9223372036854775808'::int8
'4294967296'::oid
'-1'::oid
1.5::int4
2.5::int4
-2.5::int4
2.5::float8::int4
3.5::float8::int4
-2.5::float8::int4
1e10::float8::int4
1e300::float8::int8
'NaN'::float8::int4
'NaN'::numeric::int4
'Infinity'::numeric::int8
99999999999.5::int4
300000::int2
12::bool
0::bool
true::int4
5::oid
int4 '7'
int8(7.5)
gcd(12, 18)
lcm(4::int8, 6)
mod(-7, 3)
to_hex(-1)
to_hex(255::int8)
1 = 1.0
1::int2 = 1::int8
2147483648 > 1::int2
1 < 2.5::float8
3 <> 3
1 != 2
2 >= 2
power(2, 10)
2 ^ 10
2 ^ 0.5
`;

const numerics = `
1.0 / 3.0
1 / 3.0
1.10 + 2.205
1.10 * 2.205
10.00 / 4
2.0 / 3.00000
1e20 / 7
0.00001 / 7
123456789.123 / 0.0007
5.0 % 3
-5.5 % 2
1.0 / 0
1.0 % 0
0.0 / 5
'NaN'::numeric + 1
'NaN'::numeric = 'NaN'::numeric
'NaN'::numeric > 1e100
'Infinity'::numeric - 'Infinity'::numeric
'Infinity'::numeric / 0
1 / 'Infinity'::numeric
'-inf'::numeric
1e-5
1.5e3
1E+2
.5
5.
'1e5'::numeric
'1.5e-3'::numeric
' 12.30 '::numeric
'1_0.0_1'::numeric
'0x1f'::numeric
'1e'::numeric
'1.2.3'::numeric
''::numeric
'1e200000'::numeric
length('1e-20000'::numeric::text)
123.456::numeric(5,2)
123.456::numeric(5,1)
1234.5::numeric(5,2)
'1234.5'::numeric(5,2)
0.00049::numeric(3,3)
12345::numeric(3,-2)
99950::numeric(3,-2)
1::numeric(0)
1::numeric(1001)
1::numeric(5,2000)
'inf'::numeric(5,2)
'nan'::numeric(5,2)
999.995::numeric(5,2)
round(2.5)
round(-2.5)
round(1.005, 2)
round(1234.567, -2)
round(5678, -4)
round(5.5e131071, -131073)
round(5.5, -1000000)
round(1.5, 5)
trunc(1.999, 2)
trunc(-1.999)
trunc(1234.567, -2)
ceil(1.2)
ceil(-1.2)
ceiling(1.2)
floor(-1.2)
floor(1.2)
sign(-1.5)
sign(0.0)
abs(-1.50)
-(1.50)
div(7.5, 2)
div(-7.5, 2)
mod(7.5, -2)
scale(1.2300)
min_scale(1.2300)
trim_scale(1.2300)
gcd(12.5, 7.5)
lcm(0.5, 0.75)
factorial(20)
factorial(-1)
sqrt(2.0)
sqrt(2)
sqrt(4.00)
sqrt(0.0)
sqrt(-1.0)
sqrt(1234567890.12345)
sqrt(0.000001)
exp(1.0)
exp(0.0)
exp(-5.5)
exp(10.5)
ln(2.0)
ln(10)
ln(0.5)
ln(1.0)
ln(0.0)
ln(-1.0)
ln(12345.6789)
log(100.0)
log(2.0, 64.0)
log(10, 2)
log(0.0)
2.0 ^ 3
2.0 ^ 0.5
2.0 ^ -2
0.0 ^ 0
0.0 ^ -1
(-2.0) ^ 3
(-2.0) ^ 0.5
1.5 ^ 10
power(1.1, 100.0)
power(9.99, 2.5)
1.23::float8::numeric
0.1::float4::numeric
1e100::float8::numeric
123456789012345678::float8::numeric
1.5::numeric::float4
1e400::numeric::float8
1e-400::numeric::float8
1.0 = 1.00
1.1 > 1.09
12345678901234567890
123456789012345678901234567890 * 98765432109876543210
`;

const floats = `
0.1::float8 + 0.2::float8
1e15::float8
1e14::float8
123456789012345678::float8
1e-5::float8
0.0001::float8
1e23::float8
1e22::float8
9007199254740993::float8
5e-324::float8
1.7976931348623157e308::float8
'1e400'::float8
'1e-400'::float8
'-0'::float8
'0'::float8 * -1
'infinity'::float8
'-Infinity'::float8
'nan'::float8
' 1.5 '::float8
'abc'::float8
''::float8
'1.5e'::float8
0.1::float4
1e6::float4
123456::float4
1234567::float4
1e-5::float4
3.4028235e38::float4
'1e39'::float4
1.1::float4 + 1.1::float4
1.1::float4 + 1.1::float8
1e308::float8 * 10
1e-300::float8 * 1e-300::float8
1::float8 / 0
'NaN'::float8 / 0
'NaN'::float8 = 'NaN'::float8
'NaN'::float8 > 'Infinity'::float8
1e300::float8::float4
16777217::float4
16777216::float4
8388609.5::float4
33554432::float4
round(2.5::float8)
round(-0.4::float8)
trunc(-1.5::float8)
ceil(-0.5::float8)
floor(1.5::float8)
sign(-3.0::float8)
sqrt(2::float8)
sqrt(-1::float8)
|/ 25.0
||/ 27.0
cbrt(27::float8)
exp(1::float8)
exp(1000::float8)
exp(-1000::float8)
ln(10::float8)
ln(0::float8)
ln(-1::float8)
log(1000::float8)
log10(1000::float8)
power(2::float8, -1)
power(0::float8, -1::float8)
power(-8::float8, 1.0::float8/3)
power('NaN'::float8, 0)
power(10::float8, 400)
pi()
degrees(pi())
radians(180::float8)
sin(0)
cos(0)
atan2(1, 1)
acos(2)
asin(1)
sin('infinity'::float8)
random() < 1
`;

const texts = String.raw`
'abc' || 'def'
'abc' || 1
1 || 'abc'
'a' || true
1.50 || ' euro'
'a'::text || null
length('añb😀')
char_length('a  '::char(5))
octet_length('añ😀')
bit_length('abc')
length('abc  '::char(10))
upper('strasse é ñ')
lower('ÀÉ ÑX')
initcap('hello wORLD-foo_bar 1st')
substr('alphabet', 3)
substr('alphabet', 3, 2)
substr('alphabet', -2, 5)
substr('alphabet', 0)
substr('abc', 1, -1)
substr('a😀bc', 2, 2)
substring('alphabet' from 3 for 2)
substring('alphabet' from 3)
substring('alphabet', 2147483647, 2147483647)
position('ph' in 'alphabet')
position('' in 'abc')
strpos('a😀b', 'b')
trim('  abc ')
trim(both 'xy' from 'xyabcyx')
trim(leading from '  abc ')
trim(trailing 'c' from 'abcc')
btrim('😀a😀', '😀')
ltrim('zzzytest', 'xyz')
rtrim('testxxzx', 'xyz')
replace('abcabc', 'b', 'XX')
replace('abc', '', 'x')
split_part('a,b,c', ',', 2)
split_part('a,b,c', ',', -1)
split_part('a,b,c', ',', 0)
split_part('a,b,c', ',', 9)
split_part('abc', '', 1)
left('abcde', 2)
left('abcde', -2)
right('abcde', 2)
right('abcde', -2)
left('a😀b', 2)
lpad('hi', 5)
lpad('hi', 5, 'xy')
lpad('hello', 2)
lpad('hi', -1)
lpad('hi', 5, '')
rpad('hi', 5, 'xy')
repeat('ab', 3)
repeat('ab', -1)
reverse('a😀b')
translate('12345', '143', 'ax')
overlay('Txxxxas' placing 'hom' from 2 for 4)
overlay('abc' placing 'x' from 0)
ascii('x')
ascii('😀')
ascii('')
chr(65)
chr(128512)
chr(0)
chr(-1)
chr(1114112)
md5('abc')
md5('')
md5(repeat('x', 200))
concat('a', null, 1, true, 2.50)
concat()
concat_ws(',', 'a', null, 'b', 3)
concat_ws(null, 'a')
quote_ident('foo')
quote_ident('Foo bar')
quote_ident('select')
quote_ident('a"b')
quote_literal('it''s')
quote_literal(E'a\\b')
quote_literal(42)
quote_nullable(null)
quote_nullable('x')
format('Hello %s, %1$s', 'World')
format('%I = %L', 'my col', 'it''s')
format('%L', null)
format('%5s|%-5s|', 'a', 'b')
format('%%')
format('%s')
format('%x', 1)
format('%2$s %1$s', 'a', 'b')
format('%*s', 4, 'x')
starts_with('alphabet', 'alph')
'alphabet' ^@ 'beta'
'abc' like 'a%'
'abc' like '_b_'
'abc' like 'a_'
'a😀c' like 'a_c'
'abc' like ''
'' like '%'
'a%c' like 'a\%c'
'abc' like 'a\%c'
'a%c' like 'a!%c' escape '!'
'a_c' like 'a#_c' escape '#'
'abc' like 'abc\'
'abcabc' like '%c'
'abcabd' like '%b_'
'mississippi' like '%iss%ip%'
'mississippi' not like '%iss%x%'
'ABC' ilike 'a%c'
'É' ilike 'é'
'abc' like 'a%' escape 'xy'
'a\c' like 'a\c' escape ''
'abc' ~~ 'a%'
'😀' > '～'
'a' < 'B'
'a' < 'b'
'abc' = 'abc '
'abc'::char(5) = 'abc'
'abc'::char(5) || 'd'
'abc'::char(2)
'abc'::varchar(2)
'abc'::varchar
'abc'::char
'ab'::char(5)
'ab'::char(5)::text
'x'::char(0)
'x'::varchar(0)
'abcdefgh'::name
repeat('x', 70)::name
'a'::name = 'a'
123::text
true::text
true::varchar(2)
1.5::varchar(3)
'true'::text::bool
'yes'::bool
'of'::bool
'o'::bool
'maybe'::bool
' T '::bool
12::char(5)
'12'::text::int4
'x'::text::int4
encode('abc'::bytea, 'hex')
encode(E'\\x0001ff'::bytea, 'base64')
encode(E'\\x0001ff'::bytea, 'escape')
decode('AAH/', 'base64')
decode('0001ff', 'hex')
decode('xyz', 'hex')
coalesce(null, 'a')
coalesce(1, 2.5)
coalesce(1, 'a')
coalesce(null, null)
coalesce(1, 'a'::text)
nullif(1, 1)
pg_typeof(1)::text
pg_typeof('a')::text
pg_typeof(1.5)::text
pg_typeof('a'::varchar(3))::text
pg_typeof(now())::text
current_database()
current_schema
num_nulls(1, null, 2)
num_nonnulls(1, null, 2)
`;

export const expressions: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries({ numbers, numerics, floats, texts }).map(([name, list]) => [
    name,
    list.trim().split('\n'),
  ]),
);
