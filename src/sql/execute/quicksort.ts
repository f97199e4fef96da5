/**
 * The quicksort of PostgreSQL (Bentley and McIlroy's, src/include/lib/sort_template.h), in place: with
 * it rows that compare as equal come out in PostgreSQL's order, which is not that of the input.
 */
export function quicksort<T>(items: T[], compare: (a: T, b: T) => number): void {
  sortPart(items, 0, items.length, compare);
}

type Compare<T> = (a: T, b: T) => number;

/** Parts smaller than this are sorted by insertion; the pivot of larger ones is a median of nine. */
const insertionMax = 7;
const medianOfNineMin = 40;

function sortPart<T>(items: T[], start: number, end: number, compare: Compare<T>): void {
  let from = start;
  let to = end;
  while (to - from >= insertionMax) {
    if (isSorted(items, from, to, compare)) return;
    swap(items, from, pivotOf(items, from, to, compare));
    const { left, right } = partition(items, from, to, compare);
    // The smaller side by recursion, so that the depth stays logarithmic.
    if (left <= right) {
      sortPart(items, from, from + left, compare);
      from = to - right;
    } else {
      sortPart(items, to - right, to, compare);
      to = from + left;
    }
  }
  for (let at = from + 1; at < to; at += 1) {
    for (let i = at; i > from && compare(items[i - 1] as T, items[i] as T) > 0; i -= 1) {
      swap(items, i, i - 1);
    }
  }
}

function isSorted<T>(items: T[], from: number, to: number, compare: Compare<T>): boolean {
  for (let at = from + 1; at < to; at += 1) {
    if (compare(items[at - 1] as T, items[at] as T) > 0) return false;
  }
  return true;
}

function pivotOf<T>(items: T[], from: number, to: number, compare: Compare<T>): number {
  const count = to - from;
  const middle = from + (count >> 1);
  const last = to - 1;
  if (count === insertionMax) return middle;
  if (count <= medianOfNineMin) return median(items, from, middle, last, compare);
  const step = count >> 3;
  return median(
    items,
    median(items, from, from + step, from + 2 * step, compare),
    median(items, middle - step, middle, middle + step, compare),
    median(items, last - 2 * step, last - step, last, compare),
    compare,
  );
}

function median<T>(items: T[], a: number, b: number, c: number, compare: Compare<T>): number {
  const [first, second, third] = [items[a] as T, items[b] as T, items[c] as T];
  if (compare(first, second) < 0) {
    if (compare(second, third) < 0) return b;
    return compare(first, third) < 0 ? c : a;
  }
  if (compare(second, third) > 0) return b;
  return compare(first, third) < 0 ? a : c;
}

/**
 * Brings what is smaller than the pivot, which lies at `from`, to the left and what is larger to the
 * right; what equals it lies between. Gives the lengths of both sides.
 */
function partition<T>(
  items: T[],
  from: number,
  to: number,
  compare: Compare<T>,
): { readonly left: number; readonly right: number } {
  const pivot = items[from] as T;
  // Equal ones gather at both ends: [from, equalLeft) and (equalRight, to).
  let equalLeft = from + 1;
  let low = equalLeft;
  let high = to - 1;
  let equalRight = high;
  for (;;) {
    for (let order = 0; low <= high; low += 1) {
      order = compare(items[low] as T, pivot);
      if (order > 0) break;
      if (order === 0) {
        swap(items, equalLeft, low);
        equalLeft += 1;
      }
    }
    for (let order = 0; low <= high; high -= 1) {
      order = compare(items[high] as T, pivot);
      if (order < 0) break;
      if (order === 0) {
        swap(items, high, equalRight);
        equalRight -= 1;
      }
    }
    if (low > high) break;
    swap(items, low, high);
    low += 1;
    high -= 1;
  }
  const left = low - equalLeft;
  const right = equalRight - high;
  swapRanges(items, from, low, Math.min(equalLeft - from, left));
  swapRanges(items, low, to, Math.min(right, to - equalRight - 1));
  return { left, right };
}

/** Swaps the first items from `from` on with the last ones before `to`. */
function swapRanges<T>(items: T[], from: number, to: number, count: number): void {
  for (let i = 0; i < count; i += 1) swap(items, from + i, to - count + i);
}

function swap<T>(items: T[], a: number, b: number): void {
  const item = items[a] as T;
  items[a] = items[b] as T;
  items[b] = item;
}
