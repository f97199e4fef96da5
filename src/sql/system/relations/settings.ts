/** pg_settings: what SHOW tells, with what SET takes. */
import { ArrayValue } from '../../types/index.js';
import { always, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';
import type { SettingRow } from '../../settings/index.js';

export const settingsRelation = systemRelation<SettingRow>(catalogSchema, 'pg_settings', {
  items: (view) => view.home.settings(),
  guess: 100,
  values: {
    name: (row) => row.name,
    setting: (row) => row.setting,
    unit: (row) => row.unit,
    category: (row) => row.category,
    short_desc: (row) => row.short_desc,
    extra_desc: always(null),
    context: (row) => row.context,
    vartype: (row) => row.vartype,
    source: (row) => row.source,
    min_val: (row) => row.min_val,
    max_val: (row) => row.max_val,
    enumvals: ({ enumvals }) => (enumvals === null ? null : ArrayValue.of(enumvals)),
    boot_val: (row) => row.boot_val,
    reset_val: (row) => row.reset_val,
    sourcefile: always(null),
    sourceline: always(null),
    pending_restart: always(false),
  },
});
