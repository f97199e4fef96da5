/**
 * Settings: which there are, their values as PostgreSQL reads and shows them, and those of a session with
 * its transactions.
 *
 * Guarantees: a value that is kept is one that the setting takes; a setting that would ask for what
 * ShardForge has not refuses it instead of being forgotten; a rollback puts back what was before.
 * Must not know: sessions, doors, the catalogue.
 */
export { Derived, type Severity, type TimeLimits } from './derived.js';
export { type SettingRow, settingRows } from './rows.js';
export { checkSetting, type Computed, type FirstSource, Settings } from './settings.js';
export { quoteNames } from './names.js';
export { settingNamed } from './table.js';
