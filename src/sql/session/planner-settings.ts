/**
 * Settings of PostgreSQL's planner and of its memory: taken, checked and shown as PostgreSQL does, so that
 * scripts run as they are. Our plans and budgets know none of them.
 */

export interface PlannerSetting {
  readonly name: string;
  readonly initial: string;
  /** The value as it is kept; undefined when it is not taken. */
  readonly accept: (value: string) => string | undefined;
}

/** What PostgreSQL reads as a boolean of a setting. */
export const booleans: Readonly<Record<string, string>> = {
  on: 'on',
  true: 'on',
  yes: 'on',
  '1': 'on',
  off: 'off',
  false: 'off',
  no: 'off',
  '0': 'off',
};

const flag = (name: string, initial: 'on' | 'off' = 'on'): PlannerSetting => ({
  name,
  initial,
  accept: (value) => booleans[value.toLowerCase()],
});

const number = (name: string, initial: string, least: number, most: number): PlannerSetting => ({
  name,
  initial,
  accept: (value) => {
    const given = /^\s*-?\d+(\.\d*)?(e[-+]?\d+)?\s*$/i.test(value) ? Number(value) : Number.NaN;
    return given >= least && given <= most ? String(given) : undefined;
  },
});

const choice = (name: string, initial: string, values: readonly string[]): PlannerSetting => ({
  name,
  initial,
  accept: (value) => values.find((one) => one === value.toLowerCase()),
});

/** Kilobytes of each unit, the largest first. */
const units: readonly (readonly [string, number])[] = [
  ['TB', 1024 ** 3],
  ['GB', 1024 ** 2],
  ['MB', 1024],
  ['kB', 1],
];

/** Memory, in kilobytes or `block` of them without a unit; shown in the largest unit that fits. */
const memory = (name: string, initial: string, leastKilobytes = 64, block = 1): PlannerSetting => ({
  name,
  initial,
  accept: (value) => {
    const [, digits = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(value) ?? [];
    const size = unit === '' ? block : units.find(([own]) => own === unit)?.[1];
    if (digits === '' || size === undefined) return undefined;
    const kilobytes = Math.round(Number(digits) * size);
    if (kilobytes < leastKilobytes || kilobytes > 2 ** 41) return undefined;
    const [shown, of] = units.find(([, own]) => kilobytes % own === 0) ?? ['kB', 1];
    return kilobytes === 0 ? '0' : `${kilobytes / of}${shown}`;
  },
});

const switches = [
  ...['async_append', 'bitmapscan', 'gathermerge', 'group_by_reordering', 'hashagg', 'hashjoin'],
  ...['incremental_sort', 'indexonlyscan', 'indexscan', 'material', 'memoize', 'mergejoin'],
  ...['nestloop', 'parallel_append', 'parallel_hash', 'partition_pruning', 'presorted_aggregate'],
  ...['seqscan', 'sort', 'tidscan'],
];

/** A page of PostgreSQL, which settings of sizes of tables count in. */
const pageKilobytes = 8;
const costMax = Number.MAX_VALUE;

export const plannerSettings: readonly PlannerSetting[] = [
  ...switches.map((name) => flag(`enable_${name}`)),
  flag('enable_partitionwise_aggregate', 'off'),
  flag('enable_partitionwise_join', 'off'),
  flag('geqo'),
  flag('jit'),
  flag('parallel_leader_participation'),
  choice('constraint_exclusion', 'partition', ['partition', 'on', 'off']),
  choice('debug_parallel_query', 'off', ['off', 'on', 'regress']),
  choice('plan_cache_mode', 'auto', ['auto', 'force_generic_plan', 'force_custom_plan']),
  number('cpu_index_tuple_cost', '0.005', 0, costMax),
  number('cpu_operator_cost', '0.0025', 0, costMax),
  number('cpu_tuple_cost', '0.01', 0, costMax),
  number('cursor_tuple_fraction', '0.1', 0, 1),
  number('default_statistics_target', '100', 1, 10_000),
  number('from_collapse_limit', '8', 1, 2 ** 31 - 1),
  number('geqo_threshold', '12', 2, 2 ** 31 - 1),
  number('hash_mem_multiplier', '2', 1, 1000),
  number('jit_above_cost', '100000', -1, costMax),
  number('jit_inline_above_cost', '500000', -1, costMax),
  number('jit_optimize_above_cost', '500000', -1, costMax),
  number('join_collapse_limit', '8', 1, 2 ** 31 - 1),
  number('max_parallel_workers', '8', 0, 1024),
  number('max_parallel_workers_per_gather', '2', 0, 1024),
  number('parallel_setup_cost', '1000', 0, costMax),
  number('parallel_tuple_cost', '0.1', 0, costMax),
  number('random_page_cost', '4', 0, costMax),
  number('seq_page_cost', '1', 0, costMax),
  memory('effective_cache_size', '4GB', pageKilobytes, pageKilobytes),
  memory('maintenance_work_mem', '64MB', 1024),
  memory('min_parallel_index_scan_size', '512kB', 0, pageKilobytes),
  memory('min_parallel_table_scan_size', '8MB', 0, pageKilobytes),
  memory('work_mem', '4MB'),
];
