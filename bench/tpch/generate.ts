/**
 * Rows of TPC-H's tables at any scale: the schema and the distributions of the TPC-H specification
 * (revision 3, clause 4.2.3) from our own seeded generator, so the rows are not dbgen's but are
 * distributed as its are.
 */
import { Random } from '#src/base/random.js';

export type TpchValue = string | number;
export type TpchRow = readonly TpchValue[];

export interface TpchTable {
  readonly name: string;
  readonly create: string;
  readonly rows: Iterable<TpchRow>;
}

const regions = ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'];
/** Nations with the region of each. */
const nations: readonly (readonly [string, number])[] = [
  ['ALGERIA', 0],
  ['ARGENTINA', 1],
  ['BRAZIL', 1],
  ['CANADA', 1],
  ['EGYPT', 4],
  ['ETHIOPIA', 0],
  ['FRANCE', 3],
  ['GERMANY', 3],
  ['INDIA', 2],
  ['INDONESIA', 2],
  ['IRAN', 4],
  ['IRAQ', 4],
  ['JAPAN', 2],
  ['JORDAN', 4],
  ['KENYA', 0],
  ['MOROCCO', 0],
  ['MOZAMBIQUE', 0],
  ['PERU', 1],
  ['CHINA', 2],
  ['ROMANIA', 3],
  ['SAUDI ARABIA', 4],
  ['VIETNAM', 2],
  ['RUSSIA', 3],
  ['UNITED KINGDOM', 3],
  ['UNITED STATES', 1],
];
const colours = (
  'almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon ' +
  'chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ' +
  'ghost goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon ' +
  'medium metallic midnight mint misty moccasin navajo navy olive orange orchid pale papaya peach peru pink plum powder ' +
  'puff purple red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring steel tan thistle ' +
  'tomato turquoise violet wheat white yellow'
).split(' ');
const typeWords = [
  ['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'],
  ['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'],
  ['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'],
] as const;
const containerWords = [
  ['SM', 'LG', 'MED', 'JUMBO', 'WRAP'],
  ['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'],
] as const;
const segments = ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'];
const priorities = ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'];
const instructions = ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'];
const modes = ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'];
/** Words of comments; `special ... requests` must occur for query 13. */
const commentWords = (
  'furiously quickly carefully blithely slyly regular special express final bold pending ironic even silent unusual ' +
  'packages requests accounts deposits foxes ideas theodolites instructions pinto beans platelets asymptotes courts ' +
  'sleep wake are cajole haggle nag use boost affix detect integrate among above across after against along'
).split(' ');

const create: Readonly<Record<string, string>> = {
  region: 'r_regionkey integer PRIMARY KEY, r_name char(25) NOT NULL, r_comment varchar(152)',
  nation:
    'n_nationkey integer PRIMARY KEY, n_name char(25) NOT NULL, n_regionkey integer NOT NULL, n_comment varchar(152)',
  supplier:
    's_suppkey integer PRIMARY KEY, s_name char(25) NOT NULL, s_address varchar(40) NOT NULL, s_nationkey integer NOT NULL, ' +
    's_phone char(15) NOT NULL, s_acctbal numeric(15,2) NOT NULL, s_comment varchar(101) NOT NULL',
  part:
    'p_partkey integer PRIMARY KEY, p_name varchar(55) NOT NULL, p_mfgr char(25) NOT NULL, p_brand char(10) NOT NULL, ' +
    'p_type varchar(25) NOT NULL, p_size integer NOT NULL, p_container char(10) NOT NULL, ' +
    'p_retailprice numeric(15,2) NOT NULL, p_comment varchar(23) NOT NULL',
  partsupp:
    'ps_partkey integer, ps_suppkey integer, ps_availqty integer NOT NULL, ps_supplycost numeric(15,2) NOT NULL, ' +
    'ps_comment varchar(199) NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey)',
  customer:
    'c_custkey integer PRIMARY KEY, c_name varchar(25) NOT NULL, c_address varchar(40) NOT NULL, c_nationkey integer NOT NULL, ' +
    'c_phone char(15) NOT NULL, c_acctbal numeric(15,2) NOT NULL, c_mktsegment char(10) NOT NULL, c_comment varchar(117) NOT NULL',
  orders:
    'o_orderkey integer PRIMARY KEY, o_custkey integer NOT NULL, o_orderstatus char(1) NOT NULL, o_totalprice numeric(15,2) NOT NULL, ' +
    'o_orderdate date NOT NULL, o_orderpriority char(15) NOT NULL, o_clerk char(15) NOT NULL, o_shippriority integer NOT NULL, ' +
    'o_comment varchar(79) NOT NULL',
  lineitem:
    'l_orderkey integer, l_partkey integer NOT NULL, l_suppkey integer NOT NULL, l_linenumber integer, l_quantity numeric(15,2) NOT NULL, ' +
    'l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL, l_tax numeric(15,2) NOT NULL, ' +
    'l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL, l_commitdate date NOT NULL, ' +
    'l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL, l_comment varchar(44) NOT NULL, ' +
    'PRIMARY KEY (l_orderkey, l_linenumber)',
};

/** Days since 1970-01-01. */
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`) / 86_400_000;
const firstOrderDay = day('1992-01-01');
const lastOrderDay = day('1998-12-31') - 151;
const currentDay = day('1995-06-17');

function dateOf(days: number): string {
  return new Date(days * 86_400_000).toISOString().slice(0, 10);
}

function money(cents: number): string {
  const sign = cents < 0 ? '-' : '';
  const digits = String(Math.abs(cents)).padStart(3, '0');
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** All tables, in an order in which foreign keys would hold. */
export function tpchTables(scale: number, seed = 1): readonly TpchTable[] {
  const generator = new Rows(scale, seed);
  const { orders, lineitem } = generator.ordersAndLines();
  const rows: Readonly<Record<string, Iterable<TpchRow>>> = {
    region: generator.regions(),
    nation: generator.nations(),
    supplier: generator.suppliers(),
    part: generator.parts(),
    partsupp: generator.partSuppliers(),
    customer: generator.customers(),
    orders,
    lineitem,
  };
  return Object.entries(rows).map(([name, all]) => ({
    name,
    create: `CREATE TABLE ${name} (${create[name]})`,
    rows: all,
  }));
}

class Rows {
  readonly #random: Random;
  readonly #suppliers: number;
  readonly #parts: number;
  readonly #customers: number;
  readonly #clerks: number;

  constructor(scale: number, seed: number) {
    this.#random = new Random(seed);
    // With fewer the specification's rule gives a part one supplier twice.
    this.#suppliers = Math.max(100, Math.round(10_000 * scale));
    this.#parts = Math.max(8, Math.round(200_000 * scale));
    this.#customers = Math.max(9, Math.round(150_000 * scale));
    this.#clerks = Math.max(1, Math.round(1000 * scale));
  }

  *regions(): Generator<TpchRow> {
    for (const [key, name] of regions.entries()) yield [key, name, this.#text(31, 115)];
  }

  *nations(): Generator<TpchRow> {
    for (const [key, [name, region]] of nations.entries())
      yield [key, name, region, this.#text(31, 114)];
  }

  *suppliers(): Generator<TpchRow> {
    // Five of ten thousand are complained about, five recommended; at small scales at least one.
    const each = Math.max(1, Math.round(this.#suppliers / 2000));
    for (let key = 1; key <= this.#suppliers; key += 1) {
      const nation = this.#random.below(25);
      const comment =
        key % Math.ceil(this.#suppliers / each) === 1
          ? `${this.#text(5, 20)} Customer ${this.#random.below(2) === 0 ? 'many ' : ''}Complaints ${this.#text(5, 20)}`
          : this.#text(25, 100);
      yield [
        key,
        name('Supplier', key),
        this.#address(),
        nation,
        this.#phone(nation),
        this.#balance(),
        comment,
      ];
    }
  }

  *parts(): Generator<TpchRow> {
    for (let key = 1; key <= this.#parts; key += 1) {
      const names = new Set<string>();
      while (names.size < 5) names.add(this.#pick(colours));
      const maker = this.#random.between(1, 5);
      yield [
        key,
        [...names].join(' '),
        `Manufacturer#${maker}`,
        `Brand#${maker}${this.#random.between(1, 5)}`,
        typeWords.map((words) => this.#pick(words)).join(' '),
        this.#random.between(1, 50),
        containerWords.map((words) => this.#pick(words)).join(' '),
        money(retailCents(key)),
        this.#text(5, 22),
      ];
    }
  }

  *partSuppliers(): Generator<TpchRow> {
    for (let part = 1; part <= this.#parts; part += 1) {
      for (let i = 0; i < 4; i += 1) {
        const cost = money(this.#random.between(100, 100_000));
        yield [
          part,
          this.#supplierOf(part, i),
          this.#random.between(1, 9999),
          cost,
          this.#text(49, 198),
        ];
      }
    }
  }

  *customers(): Generator<TpchRow> {
    for (let key = 1; key <= this.#customers; key += 1) {
      const nation = this.#random.below(25);
      const segment = this.#pick(segments);
      yield [
        key,
        name('Customer', key),
        this.#address(),
        nation,
        this.#phone(nation),
        this.#balance(),
        segment,
        this.#text(29, 116),
      ];
    }
  }

  /** An order's price and state follow from its lines, so both are made together. */
  ordersAndLines(): { readonly orders: TpchRow[]; readonly lineitem: TpchRow[] } {
    const orders: TpchRow[] = [];
    const lineitem: TpchRow[] = [];
    for (let i = 0; i < this.#customers * 10; i += 1) {
      // Keys are sparse: the first eight of each 32.
      const key = Math.floor(i / 8) * 32 + (i % 8) + 1;
      const orderDay = this.#random.between(firstOrderDay, lastOrderDay);
      const lines = this.#lines(key, orderDay);
      lineitem.push(...lines.rows);
      orders.push([
        key,
        this.#orderingCustomer(),
        lines.status,
        money(lines.totalCents),
        dateOf(orderDay),
        this.#pick(priorities),
        name('Clerk', this.#random.between(1, this.#clerks)),
        0,
        this.#text(19, 78),
      ]);
    }
    return { orders, lineitem };
  }

  #lines(
    order: number,
    orderDay: number,
  ): { readonly rows: TpchRow[]; readonly status: string; readonly totalCents: number } {
    const rows: TpchRow[] = [];
    const count = this.#random.between(1, 7);
    let open = 0;
    let total = 0;
    for (let line = 1; line <= count; line += 1) {
      const part = this.#random.between(1, this.#parts);
      const quantity = this.#random.between(1, 50);
      const cents = quantity * retailCents(part);
      const discount = this.#random.between(0, 10);
      const tax = this.#random.between(0, 8);
      const shipDay = orderDay + this.#random.between(1, 121);
      const receiptDay = shipDay + this.#random.between(1, 30);
      const isOpen = shipDay > currentDay;
      if (isOpen) open += 1;
      total += (cents * (100 - discount) * (100 + tax)) / 10_000;
      const flag = receiptDay <= currentDay ? this.#pick(['R', 'A']) : 'N';
      rows.push([
        order,
        part,
        this.#supplierOf(part, this.#random.below(4)),
        line,
        quantity,
        money(cents),
        money(discount),
        money(tax),
        flag,
        isOpen ? 'O' : 'F',
        dateOf(shipDay),
        dateOf(orderDay + this.#random.between(30, 90)),
        dateOf(receiptDay),
        this.#pick(instructions),
        this.#pick(modes),
        this.#text(10, 43),
      ]);
    }
    const status = open === count ? 'O' : open === 0 ? 'F' : 'P';
    return { rows, status, totalCents: Math.round(total) };
  }

  /** A third of the customers never orders. */
  #orderingCustomer(): number {
    for (;;) {
      const key = this.#random.between(1, this.#customers);
      if (key % 3 !== 0) return key;
    }
  }

  #supplierOf(part: number, i: number): number {
    const s = this.#suppliers;
    return ((part + i * (Math.floor(s / 4) + Math.floor((part - 1) / s))) % s) + 1;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)] as T;
  }

  #balance(): string {
    return money(this.#random.between(-99_999, 999_999));
  }

  #phone(nation: number): string {
    const digits = [
      this.#random.between(100, 999),
      this.#random.between(100, 999),
      this.#random.between(1000, 9999),
    ];
    return `${nation + 10}-${digits.join('-')}`;
  }

  #address(): string {
    const letters = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ, ';
    let text = '';
    for (let left = this.#random.between(10, 40); left > 0; left -= 1)
      text += letters[this.#random.below(letters.length)];
    return text;
  }

  #text(low: number, high: number): string {
    const length = this.#random.between(low, high);
    let text = this.#pick(commentWords);
    while (text.length < length) text += ` ${this.#pick(commentWords)}`;
    return text.slice(0, length);
  }
}

function name(kind: string, key: number): string {
  return `${kind}#${String(key).padStart(9, '0')}`;
}

function retailCents(part: number): number {
  return 90_000 + (Math.floor(part / 10) % 20_001) + 100 * (part % 1000);
}
