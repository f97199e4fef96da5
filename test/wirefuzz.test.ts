/** 50,000 messages that have gone wrong, before and after sign-in. More of them: `npm run wirefuzz`. */
import t from 'tap';
import { fuzzRun } from './postgres/fuzz-run.js';

t.setTimeout(120_000);

t.test('a node takes whatever is sent to its door', async (t) => {
  const { messages, connections, problems } = await fuzzRun(50_000, 20_261_121);
  t.ok(messages >= 50_000, `${messages} messages`);
  t.ok(connections > 500, `on ${connections} connections`);
  t.same(problems, []);
});
