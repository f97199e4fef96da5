/** The Raft core: golden scripts in test/golden/raft, whose language is in test/raft/commands.ts. */
import t from 'tap';
import { runScript, scripts } from './golden.js';
import { Script } from './raft/commands.js';

for (const name of scripts('raft')) {
  t.test(`raft: ${name.replaceAll('_', ' ')}`, (test) => {
    const script = new Script();
    const { was, is } = runScript('raft', name, (command) => script.run(command));
    test.equal(is, was);
    test.end();
  });
}
