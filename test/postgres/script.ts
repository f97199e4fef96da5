/**
 * Scripts of raw messages: what a client sends and what a server is to answer, as text.
 *
 *     # a remark
 *     story a name                 a new connection per story
 *     connection b                 another connection of the story from here on
 *     wait 300                     milliseconds for what was sent to begin
 *     send Query "SELECT 1"        sent together with the sends that follow
 *     expect RowDescription ?column?:int4
 *     because we do not ...        what follows is where we differ, and why
 *     postgres ErrorResponse ...   PostgreSQL alone answers so
 *     ours ErrorResponse ...       we alone answer so
 *
 * `*` stands for anything within an answer; `expect closed` is the end of the connection. A story ends
 * with Terminate, after which nothing more may come.
 */

/** A line of a story. */
export type Step =
  | { readonly kind: 'connection'; readonly name: string; readonly line: number }
  | { readonly kind: 'wait'; readonly milliseconds: number; readonly line: number }
  | { readonly kind: 'send'; readonly text: string; readonly line: number }
  | {
      readonly kind: 'answer';
      /** Who answers so. */
      readonly from: 'both' | 'ours' | 'postgres';
      readonly text: string;
      readonly line: number;
    };

export interface Story {
  readonly name: string;
  readonly line: number;
  readonly steps: readonly Step[];
}

const answers = { expect: 'both', ours: 'ours', postgres: 'postgres' } as const;

/** Reads a file; throws an error with the line for what is no script. */
export function readScript(text: string): readonly Story[] {
  const stories: { name: string; line: number; steps: Step[] }[] = [];
  let reason = false;
  for (const [i, whole] of text.split('\n').entries()) {
    const line = i + 1;
    const written = whole.trim();
    if (written === '' || written.startsWith('#')) continue;
    const [word = '', ...words] = written.split(' ');
    const rest = words.join(' ');
    const steps = stories.at(-1)?.steps;
    if (word === 'story') {
      stories.push({ name: rest, line, steps: [] });
      continue;
    }
    if (steps === undefined) throw new Error(`line ${line}: no story has begun`);
    if (word === 'because') {
      reason = true;
      continue;
    }
    if (word === 'wait') steps.push({ kind: 'wait', milliseconds: Number(rest), line });
    else if (word === 'connection') steps.push({ kind: 'connection', name: rest, line });
    else if (word === 'send') steps.push({ kind: 'send', text: rest, line });
    else if (Object.hasOwn(answers, word)) {
      const from = answers[word as keyof typeof answers];
      if (from !== 'both' && !reason) throw new Error(`line ${line}: no reason is given`);
      steps.push({ kind: 'answer', from, text: rest, line });
      continue;
    } else throw new Error(`line ${line}: ${word} is no word of a script`);
    reason = false;
  }
  return stories;
}

/** Whether an answer is as written, where `*` stands for anything. */
export function matches(written: string, answer: string): boolean {
  if (!written.includes('*')) return written === answer;
  const parts = written.split('*').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(answer);
}

const written = String.raw`"(?:[^"\\]|\\.)*"`;
const token = new RegExp(`\\s*(?:([A-Za-z_.]+)=(${written}|[^\\s"]*)|(${written}|[^\\s"]+))`, 'y');

/** `Bind portal=p "text" 5`: the fields by name, those without a name by their place. */
export function readFields(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let place = 0;
  token.lastIndex = 0;
  for (let at = 0; at < text.trimEnd().length; at = token.lastIndex) {
    const match = token.exec(text);
    if (match === null) throw new Error(`cannot read ${text}`);
    const [, name, named, placed] = match;
    const value = named ?? placed ?? '';
    fields.set(
      name ?? String(place),
      value.startsWith('"') ? (JSON.parse(value) as string) : value,
    );
    if (name === undefined) place += 1;
  }
  return fields;
}
