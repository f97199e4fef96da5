/** The `shardforge` command: what it takes, and what it does with it. */
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { addCluster, addNode } from './cluster.js';
import { addAuth } from './auth.js';
import { addSession } from './session.js';
import { addCert } from './cert.js';
import { type Format, formats } from './format.js';
import { addReaching, type Reaching, reach } from './reach.js';
import { describeNotice, exitCodes, UsageError } from './report.js';

interface RootOptions {
  readonly version?: true;
  readonly printConfig?: true;
  readonly config?: string;
}

interface StartOptions {
  readonly config?: string;
  readonly join?: readonly string[];
}

interface SqlOptions extends Reaching {
  readonly command?: string;
  readonly file?: string;
  readonly format: Format;
}

interface CsvOptions extends Reaching {
  readonly csv: string;
  readonly table: string;
  readonly create: boolean;
  readonly primaryKey: readonly string[];
  readonly delimiter: string;
  readonly header: boolean;
  readonly null: string;
  readonly batchRows: number;
  readonly maxErrors: number;
}

/** The command. `onExit` takes the exit code of what was run. */
export function program(onExit: (code: number) => void): Command {
  const root = new Command('shardforge')
    .description('A distributed SQL database. Without a command it starts a node.')
    .option('--version', 'print the version')
    .option('--print-config', 'print the whole configuration with its defaults')
    .option('--config <file>', 'the configuration; defaults without (docs/config.md)')
    .usage('[options] [command]')
    .argument('[command]', 'one of those below')
    .helpCommand(false)
    .configureHelp({ sortSubcommands: true })
    .action(async (unknown: string | undefined, options: RootOptions) => {
      if (unknown !== undefined) {
        throw new UsageError(`unknown command ${unknown}; shardforge --help lists them`);
      }
      const node = await import('../node/index.js');
      if (options.version) process.stdout.write(`${node.packageVersion()}\n`);
      else if (options.printConfig) await printConfig(options.config);
      else await start(options);
    });
  addStart(root);
  const config = root.command('config').description('work with configurations');
  config
    .command('check <file>')
    .description('say whether the file is a configuration')
    .action(checkConfig);
  addSql(root, onExit);
  addImport(root, onExit);
  addCert(root);
  addCluster(root, onExit);
  addSession(root, onExit);
  addAuth(root);
  addStart(addNode(root, onExit));
  return root;
}

function addStart(parent: Command): void {
  parent
    .command('start')
    .description('start a node and stay until it is stopped')
    .option('--config <file>', 'the configuration; defaults without (docs/config.md)')
    .option('--join <addresses>', 'mesh addresses of a cluster to join; divided by commas', names)
    .action((_, command: Command) => start(command.optsWithGlobals<StartOptions>()));
}

function addSql(root: Command, onExit: (code: number) => void): void {
  addReaching(root.command('sql'))
    .description('run SQL: from -c, from a file, from a pipe, or as you type')
    .option('-c, --command <sql>', 'run this and end')
    .addOption(new Option('-f, --file <file>', 'run a file and end').conflicts('command'))
    .addOption(new Option('--format <format>', 'of results').choices(formats).default('table'))
    .action(async (options: SqlOptions) => onExit(await sql(options)));
}

function addImport(root: Command, onExit: (code: number) => void): void {
  addReaching(root.command('import'))
    .description('load a CSV file into a table')
    .requiredOption('--csv <file>', 'the file, in UTF-8')
    .requiredOption('--table <name>', 'the table')
    .option('--create', 'make the table, with types that take every value of the file', false)
    .option('--primary-key <columns>', 'of a table that is made; divided by commas', names, [])
    .option('--delimiter <character>', 'between fields; "tab" for a tab', delimiter, ',')
    .option('--header', 'the first line names the columns (default)', true)
    .option('--no-header', 'the first line is data')
    .option('--null <text>', 'an unquoted field with this text is NULL', '')
    .option('--batch-rows <rows>', 'rows of one transaction', wholeNumber(1, 10_000), 200)
    .option('--max-errors <lines>', 'give up after so many bad lines', wholeNumber(0, 1e9), 100)
    .action(async (options: CsvOptions) => onExit(await importFile(options)));
}

async function start({ config, join }: StartOptions): Promise<void> {
  const { endWith, loadConfig, runNode } = await import('../node/index.js');
  try {
    await runNode(loadConfig(config, process.env, join));
  } catch (error) {
    endWith(error);
  }
}

async function printConfig(config: string | undefined): Promise<void> {
  const { endWith, loadConfig } = await import('../node/index.js');
  try {
    const whole = loadConfig(config, process.env);
    const password = whole.admin.password === '' ? '' : '***';
    const shown = { ...whole, admin: { ...whole.admin, password } };
    process.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
  } catch (error) {
    endWith(error);
  }
}

async function checkConfig(file: string): Promise<void> {
  const { endWith, loadConfig } = await import('../node/index.js');
  try {
    loadConfig(file, process.env);
    process.stdout.write(`${file} is a valid configuration\n`);
  } catch (error) {
    endWith(error);
  }
}

async function sql(options: SqlOptions): Promise<number> {
  const text = options.file === undefined ? options.command : readText(options.file);
  const { Shell } = await import('./prompt.js');
  const types = { int8: 'string', timestamptz: 'string', json: 'string' } as const;
  const database = await reach(options, {
    ...{ max: 1, types, applicationName: 'shardforge sql' },
    onNotice: (notice) => process.stderr.write(describeNotice(notice)),
  });
  try {
    const { stdin: input, stdout: output, stderr: errors } = process;
    const shell = new Shell(database, { input, output, errors }, options.format);
    if (text !== undefined) return await shell.runText(text);
    return input.isTTY ? await shell.talk() : await shell.runStream();
  } finally {
    await database.close(0);
  }
}

async function importFile(options: CsvOptions): Promise<number> {
  const { importCsv } = await import('./import/import.js');
  const { ImportReport } = await import('./import/progress.js');
  const { csv: file, null: nullText, maxErrors: errorsMax, ...rest } = options;
  if (rest.primaryKey.length > 0 && !rest.create) {
    throw new UsageError('--primary-key belongs to --create');
  }
  const database = await reach(options, { max: 1, applicationName: 'shardforge import' });
  const report = new ImportReport(file, rest.table);
  const interrupt = (): void => report.interrupt();
  process.on('SIGINT', interrupt);
  try {
    const outcome = await importCsv(database, { ...rest, file, nullText, errorsMax }, report);
    report.finish(outcome);
    const whole = outcome.badLines === 0 && outcome.stopped === undefined;
    return whole ? 0 : exitCodes.failed;
  } finally {
    report.stop();
    process.off('SIGINT', interrupt);
    await database.close(0);
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

function names(text: string): string[] {
  return text.split(',').map((name) => name.trim());
}

function delimiter(text: string): string {
  if (text === 'tab' || text === '\\t') return '\t';
  if (/^[\x20-\x7e\t]$/.test(text) && text !== '"') return text;
  throw new InvalidArgumentError('It must be one character of ASCII, or "tab".');
}

function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= minimum && number <= maximum) return number;
    throw new InvalidArgumentError(`It must be a whole number from ${minimum} to ${maximum}.`);
  };
}
