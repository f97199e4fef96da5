/** Versions and the replica: golden scripts in test/golden/{mvcc,shard}, and random histories. */
import t from 'tap';
import { type Run, runScript, scripts } from './golden.js';
import { MvccScript } from './shard/mvcc-script.js';

function golden(layer: string, start: () => Run): void {
  for (const name of scripts(layer)) {
    t.test(`${layer}: ${name.replaceAll('_', ' ')}`, (test) => {
      const { was, is } = runScript(layer, name, start());
      test.equal(is, was);
      test.end();
    });
  }
}

golden('mvcc', () => {
  const script = new MvccScript();
  return (command) => script.run(command);
});
