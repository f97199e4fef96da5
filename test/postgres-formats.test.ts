/**
 * Values of all types through their binary forms: from text to bytes and back they stay what they are,
 * and where a PostgreSQL 15 is installed the bytes are the same as its.
 */
import t from 'tap';
import { must } from '#src/base/assert.js';
import { Random } from '#src/base/random.js';
import { Chance } from './postgres/conversations.js';
import { wireNode } from './postgres/nodes.js';
import {
  type Answers,
  bind,
  bytesOf,
  execute,
  parse,
  query,
  RawClient,
  sync,
} from './postgres/raw.js';
import { noPostgres, startPostgres } from './postgres/real.js';
import { makers, setup } from './postgres/values.js';

t.setTimeout(120_000);

const valuesPerType = 25;

async function open(address: string): Promise<RawClient> {
  const { client } = await RawClient.open(address, { TimeZone: 'UTC' });
  for (const text of setup) await client.ask(query(text));
  return client;
}

function only(answers: Answers): Buffer {
  const row = answers.all.find(({ code }) => code === 'D');
  const error = JSON.stringify(answers.error);
  return must(bytesOf(must(row, `a row: ${error}`).body)[0] ?? undefined, 'a value');
}

/** The bytes of a value that is given as text. */
async function binaryOf(client: RawClient, type: string, text: string): Promise<Buffer> {
  const asked = [parse('', `SELECT $1::${type} AS v`), bind({ parameters: [text], results: true })];
  return only(await client.ask(...asked, execute(), sync));
}

/** The text of a value that is given as bytes. */
async function textOf(client: RawClient, type: string, bytes: Buffer): Promise<string> {
  const asked = [parse('', `SELECT $1::${type} AS v`), bind({ binary: true, parameters: [bytes] })];
  return only(await client.ask(...asked, execute(), sync)).toString('utf8');
}

function valuesOf(type: string, make: (chance: Chance) => string): readonly string[] {
  const chance = new Chance(new Random(type.length * 7919 + (type.codePointAt(0) ?? 0)));
  return [...new Set(Array.from({ length: valuesPerType }, () => make(chance)))];
}

/** OIDs of types that users made are others on each server: they are left out of comparisons. */
const hasOwnOids = (type: string): boolean => /^wire_(mood\[\]|pair|nest)/.test(type);

/** Their bytes are OIDs, which print as numbers when they come back. */
const isRegistered = (type: string): boolean => type.startsWith('reg');

t.test('to bytes and back', async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop(0));
  const client = await open(address);
  for (const [type, make] of Object.entries(makers)) {
    if (isRegistered(type)) continue;
    const wrong: string[] = [];
    for (const text of valuesOf(type, make)) {
      const back = await textOf(client, type, await binaryOf(client, type, text));
      if (back !== text) wrong.push(`${text} became ${back}`);
    }
    t.same(wrong, [], type);
  }
  client.close();
});

const skip = noPostgres() ?? false;
t.test('the same bytes as PostgreSQL', { skip }, async (t) => {
  const { node, address } = await wireNode();
  t.teardown(() => node.stop(0));
  const real = await startPostgres();
  t.teardown(real.stop);
  const [ours, theirs] = [await open(address), await open(real.address)];
  for (const [type, make] of Object.entries(makers)) {
    const wrong: string[] = [];
    for (const text of valuesOf(type, make)) {
      const expected = await binaryOf(theirs, type, text);
      if (hasOwnOids(type)) {
        const length = (await binaryOf(ours, type, text)).length;
        if (length !== expected.length)
          wrong.push(`${text}: ${length} bytes, not ${expected.length}`);
        continue;
      }
      const bytes = await binaryOf(ours, type, text);
      if (!bytes.equals(expected)) {
        wrong.push(`${text}: ${bytes.toString('hex')}, not ${expected.toString('hex')}`);
      }
      const back = isRegistered(type) ? text : await textOf(ours, type, expected);
      if (back !== text) wrong.push(`${text} came back as ${back}`);
    }
    t.same(wrong, [], type);
  }
  ours.close();
  theirs.close();
});
