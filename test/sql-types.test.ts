/** Types and functions against PostgreSQL (PGlite), and the promises of key and row bytes. */
import t from 'tap';
import { contextIn, evaluate } from './sql-types/evaluator.js';
import { expressions } from './sql-types/expressions.js';
import { startOracle } from './sql-types/oracle.js';

const oracle = await startOracle();
t.teardown(() => oracle.close());

t.test('expressions answer as PostgreSQL does', async (t) => {
  const context = contextIn('UTC');
  for (const [family, list] of Object.entries(expressions)) {
    await t.test(family, async (t) => {
      for (const expression of list) {
        t.same(evaluate(expression, context), await oracle.ask(expression), expression);
      }
    });
  }
});
