/** What pg_settings shows (https://www.postgresql.org/docs/15/view-pg-settings.html). */
import type { Settings } from './settings.js';
import { allSettings } from './table.js';
import { realText } from './values.js';

/** A row, under pg_settings' names; what it has beside these is null or false for all. */
export interface SettingRow {
  readonly name: string;
  readonly setting: string;
  readonly unit: string | null;
  readonly category: string;
  readonly short_desc: string;
  readonly context: string;
  readonly vartype: string;
  readonly source: string;
  readonly min_val: string | null;
  readonly max_val: string | null;
  readonly enumvals: readonly string[] | null;
  readonly boot_val: string;
  readonly reset_val: string;
}

/** Rows in the order of their names. */
export function settingRows(settings: Settings): readonly SettingRow[] {
  return allSettings
    .filter(({ hidden }) => !hidden)
    .map(({ name, kind, boot, category, description, context }): SettingRow => {
      const key = name.toLowerCase();
      const isNumber = kind.type === 'integer' || kind.type === 'real';
      return {
        name,
        setting: settings.get(key) ?? boot,
        unit: isNumber ? (kind.unit ?? null) : null,
        category,
        short_desc: description,
        context,
        vartype: kind.type,
        source: settings.sourceOf(key),
        min_val: isNumber ? realText(kind.least) : null,
        max_val: isNumber ? boundText(kind.most) : null,
        enumvals: kind.type === 'enum' ? kind.values : null,
        boot_val: boot,
        reset_val: settings.firstValueOf(key),
      };
    });
}

function boundText(bound: number): string {
  return Number.isInteger(bound) && bound < 2 ** 53 ? String(bound) : realText(bound);
}
