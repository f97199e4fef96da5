/** pg_operator, pg_opclass, pg_opfamily, pg_amop, pg_amproc, pg_am, pg_cast, pg_language. */
import { NamedOid } from '../../types/index.js';
import { always, numberOf, systemRelation } from '../define.js';
import { catalogSchema } from '../facts.js';
import { functionFacts, regprocOf } from '../function-facts.js';
import { oids } from '../oids.js';
import {
  casts,
  familyFunctions,
  familyOperators,
  operatorClasses,
  operatorFamilies,
  operators,
} from '../operator-facts.js';

const here = always(oids.catalogSchema);
const owner = always(oids.bootstrapRole);

function procedure(oid: number): NamedOid {
  return new NamedOid(oid, functionFacts().byOid.get(oid)?.name);
}

export const operatorRelation = systemRelation(catalogSchema, 'pg_operator', {
  items: operators,
  guess: 600,
  find: { oid: (_view, value) => operators().filter(({ oid }) => oid === numberOf(value)) },
  values: {
    oid: ({ oid }) => oid,
    oprname: ({ name }) => name,
    oprnamespace: here,
    oprowner: owner,
    oprkind: ({ kind }) => kind,
    oprcanmerge: ({ canMerge }) => canMerge,
    oprcanhash: ({ canHash }) => canHash,
    oprleft: ({ left }) => left,
    oprright: ({ right }) => right,
    oprresult: ({ result }) => result,
    oprcom: ({ commutator }) => commutator,
    oprnegate: ({ negator }) => negator,
    oprcode: ({ code }) => procedure(code),
    oprrest: ({ restriction }) => regprocOf(restriction),
    oprjoin: ({ join }) => regprocOf(join),
  },
});

export const classesRelation = systemRelation(catalogSchema, 'pg_opclass', {
  items: operatorClasses,
  guess: 80,
  find: { oid: (_view, value) => operatorClasses().filter(({ oid }) => oid === numberOf(value)) },
  values: {
    oid: ({ oid }) => oid,
    opcmethod: ({ method }) => method,
    opcname: ({ name }) => name,
    opcnamespace: here,
    opcowner: owner,
    opcfamily: ({ family }) => family,
    opcintype: ({ type }) => type,
    opcdefault: ({ isDefault }) => isDefault,
    opckeytype: ({ keyType }) => keyType,
  },
});

export const familiesRelation = systemRelation(catalogSchema, 'pg_opfamily', {
  items: operatorFamilies,
  guess: 60,
  values: {
    oid: ({ oid }) => oid,
    opfmethod: ({ method }) => method,
    opfname: ({ name }) => name,
    opfnamespace: here,
    opfowner: owner,
  },
});

export const familyOperatorsRelation = systemRelation(catalogSchema, 'pg_amop', {
  items: familyOperators,
  guess: 400,
  values: {
    oid: ({ oid }) => oid,
    amopfamily: ({ family }) => family,
    amoplefttype: ({ left }) => left,
    amoprighttype: ({ right }) => right,
    amopstrategy: ({ strategy }) => strategy,
    amoppurpose: always('s'),
    amopopr: ({ operator }) => operator,
    amopmethod: ({ method }) => method,
    amopsortfamily: always(0),
  },
});

export const familyFunctionsRelation = systemRelation(catalogSchema, 'pg_amproc', {
  items: familyFunctions,
  guess: 200,
  values: {
    oid: ({ oid }) => oid,
    amprocfamily: ({ family }) => family,
    amproclefttype: ({ left }) => left,
    amprocrighttype: ({ right }) => right,
    amprocnum: ({ number }) => number,
    amproc: ({ called }) => procedure(called),
  },
});

/** How PostgreSQL calls the ways in which rows and entries of indexes lie here. */
const methods = [
  { oid: oids.heap, name: 'heap', handler: 'heap_tableam_handler', type: 't' },
  { oid: oids.btree, name: 'btree', handler: 'bthandler', type: 'i' },
];

export const methodsRelation = systemRelation(catalogSchema, 'pg_am', {
  items: () => methods,
  guess: 2,
  find: { oid: (_view, value) => methods.filter(({ oid }) => oid === numberOf(value)) },
  values: {
    oid: ({ oid }) => oid,
    amname: ({ name }) => name,
    amhandler: ({ handler }) => regprocOf(handler),
    amtype: ({ type }) => type,
  },
});

export const castRelation = systemRelation(catalogSchema, 'pg_cast', {
  items: casts,
  guess: 200,
  values: {
    oid: ({ oid }) => oid,
    castsource: ({ source }) => source,
    casttarget: ({ target }) => target,
    castfunc: ({ called }) => called,
    castcontext: ({ context }) => context,
    castmethod: ({ method }) => method,
  },
});

const languages = [
  { oid: 12, name: 'internal', trusted: false, validator: 'fmgr_internal_validator' },
  { oid: 14, name: 'sql', trusted: true, validator: 'fmgr_sql_validator' },
];

export const languageRelation = systemRelation(catalogSchema, 'pg_language', {
  items: () => languages,
  guess: 2,
  find: { oid: (_view, value) => languages.filter(({ oid }) => oid === numberOf(value)) },
  values: {
    oid: ({ oid }) => oid,
    lanname: ({ name }) => name,
    lanowner: owner,
    lanispl: always(false),
    lanpltrusted: ({ trusted }) => trusted,
    lanplcallfoid: always(0),
    laninline: always(0),
    lanvalidator: ({ validator }) => regprocOf(validator).oid,
    lanacl: always(null),
  },
});
