/** The relay as a program: `node dist/relay.cjs`. docs/OPERATING.md is its manual. */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { parseArgs } from 'node:util';
import { DEFAULT_PORT, readRelayAddress } from '../protocol/relay-address.ts';
import { reachableHosts } from './addresses.ts';

const USAGE = `node relay.cjs [options]

  --port PORT          TCP port to listen on (${DEFAULT_PORT})
  --host HOST          address to listen on (0.0.0.0: all of IPv4; :: for IPv6 too)
  --data FOLDER        where key, queues and parcels are kept (${defaultFolder()})
  --public-host NAME   the name or address under which devices reach this machine
  --open-registration  let every device register, without the registration token
  --print-address      print the addresses for the setting coterie.relay, one a line, best first, and end
  --help               this
`;

const OLDEST_NODE = 24;

if (isMainThread) void main();
// In the built program the thread of the store starts from this file too.
else void import('./store-thread.ts');

async function main(): Promise<void> {
  let values;
  try {
    ({ values } = parseArgs({
      options: {
        port: { type: 'string', default: String(DEFAULT_PORT) },
        host: { type: 'string', default: '0.0.0.0' },
        data: { type: 'string', default: defaultFolder() },
        'public-host': { type: 'string' },
        'open-registration': { type: 'boolean', default: false },
        'print-address': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return end(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  }
  if (values.help) return void process.stdout.write(USAGE);
  if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
    return end(`The relay needs Node ${OLDEST_NODE} or later; this is ${process.version}.`);
  }
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : -1;
  if (port < 0 || port > 65_535) return end(`--port ${values.port} is not a port: a number from 0 to 65535.`);
  const hosts = reachableHosts(values.host, values['public-host']);
  // Before anything is made or opened: a name that cannot stand in an address is of no use to anybody.
  const unusable = hosts.find(({ host }) => !readRelayAddress(`coterie-relay://${host}:1/${'A'.repeat(43)}`));
  if (unusable) return end(`${unusable.host} is not a host name or address.`);
  const folder = resolve(values.data);

  // Whatever it writes is for its own user, also in a folder that others may read.
  process.umask(0o077);
  quietAboutSqlite();
  const { RelayStartError } = await import('./identity.ts');
  try {
    if (values['print-address'])
      return await printAddresses(
        folder,
        port,
        hosts.map(({ host }) => host),
      );
    await run(folder, port, values.host, values['public-host'], values['open-registration']);
  } catch (error) {
    end(error instanceof RelayStartError ? error.message : `The relay could not start: ${String(error)}`);
  }
}

async function run(
  folder: string,
  port: number,
  host: string,
  publicHost: string | undefined,
  openRegistration: boolean,
) {
  const { startRelay } = await import('./relay.ts');
  const relay = await startRelay({
    folder,
    port,
    host,
    openRegistration,
    ...(publicHost === undefined ? {} : { publicHost }),
  });
  // Before the ready line: whoever waits for it may send a signal at once.
  const stop = () => {
    void relay.stop().then(() => {
      process.stdout.write('relay stopped\n');
      process.exit(0);
    });
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const hosts = reachableHosts(host, publicHost);
  const lines = hosts.flatMap((one) => [`  from ${one.from}:`, `    ${relay.addressFor(one.host)}`]);
  process.stdout.write(
    [
      `Coterie relay, data in ${folder}`,
      '',
      'Put one of these into the setting "coterie.relay" of every person who is to use it:',
      ...lines,
      '',
      openRegistration
        ? 'Registration is open: every device that reaches the relay may have a queue here.'
        : 'The last part is the registration token: whoever has it may have a queue here.',
      'Ctrl-C ends it.',
      `relay listening on ${host}:${relay.port}`,
      '',
    ].join('\n'),
  );
  const error = await relay.failed;
  end(
    `relay stopped: the disk failed (${error.message}). What was acknowledged is kept; nothing was acknowledged after it.`,
  );
}

async function printAddresses(folder: string, port: number, hosts: readonly string[]): Promise<void> {
  const { loadIdentity } = await import('./identity.ts');
  const { nodeCrypto } = await import('../crypto/node/crypto.ts');
  const { writeRelayAddress } = await import('../protocol/relay-address.ts');
  const { staticKey: key, token } = loadIdentity(nodeCrypto(), folder);
  for (const host of hosts) process.stdout.write(`${writeRelayAddress({ host, port, key, token })}\n`);
}

/** Its own folder of the platform's data folder. */
function defaultFolder(): string {
  const home = homedir();
  const base =
    process.platform === 'darwin'
      ? join(home, 'Library', 'Application Support')
      : process.platform === 'win32'
        ? (process.env['LOCALAPPDATA'] ?? join(home, 'AppData', 'Local'))
        : (process.env['XDG_DATA_HOME'] ?? join(home, '.local', 'share'));
  return join(base, 'coterie-relay');
}

/** node:sqlite announces that it is new; an operator can do nothing about it. Other warnings are shown as ever. */
function quietAboutSqlite(): void {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}

function end(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
