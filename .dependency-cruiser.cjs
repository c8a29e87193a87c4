// Which room may import what: the table of docs/ARCHITECTURE.md as a rule per row. What a row does not name is forbidden.
// Type-only imports count (tsPreCompilationDeps): a type carries knowledge too.

const npm = (...names) => names.map((name) => `^node_modules/(@types/)?${name}/`);

const base = '^src/base/';
const cryptoFace = '^src/crypto/[^/]+\\.ts$';
const protocol = '^src/protocol/';
const codec = '^src/protocol/codec';
// Every length, count and rate has its limit in this one file, so every room may read it (D4).
const limits = '^src/protocol/limits\\.ts$';
const sync = '^src/sync/';
const ports = '^src/sync/ports';
const tools = '^src/tools/';
const models = '^src/tools/.*/model\\.ts$';
// Which names a disk may be given is one rule (F4), for the tool and for the folders it goes out to.
const safeNames = '^src/tools/files/safe-name\\.ts$';
// Only the window that has started a worker knows that its thread has ended, and frees what it held (L3).
const lock = '^src/store/lock\\.ts$';
const service = '^src/service/';
const rpc = '^src/rpc/';
const messages = '^src/webviews/.*messages\\.ts$';
const vscode = '^(node_modules/@types/)?vscode';

/** room: [its files, what it may import beside itself, whether it may use node] */
const rooms = {
  base: ['^src/base/', [], false],
  'crypto-face': [cryptoFace, [base], false],
  // XChaCha20 is in no OpenSSL: this provider takes it from the other.
  'crypto-node': ['^src/crypto/node/', [base, cryptoFace, '^src/crypto/noble/'], true],
  'crypto-noble': ['^src/crypto/noble/', [base, cryptoFace, ...npm('@noble')], false],
  protocol: [protocol, [base, cryptoFace], false],
  sync: [sync, [base, cryptoFace, protocol], false],
  'tools-model': [models, [base], false],
  // What a delta of a tool holds is CBOR with hashes in it: pure like the tools themselves.
  tools: [tools, [base, cryptoFace, codec, limits, sync, ...npm('yjs', 'node-diff3')], false],
  store: ['^src/store/', [base, '^src/crypto/', limits, ports, tools, ...npm('sql\\.js')], true],
  'relay-client': ['^src/relay-client/', [base, '^src/crypto/', protocol, ports, ...npm('ws')], true],
  bridges: ['^src/bridges/', [base, limits, service, safeNames], true],
  service: [service, [base, cryptoFace, protocol, sync, tools, ...npm('@scure')], false],
  rpc: [rpc, [base, service, codec, limits, lock], true],
  'worker-and-member': [
    '^src/(worker|member)/',
    ['^src/(?!relay/|views/|webviews/|extension\\.ts)', '^node_modules/'],
    true,
  ],
  relay: ['^src/relay/', [base, '^src/crypto/', protocol, ...npm('ws')], true],
  webviews: ['^src/webviews/', [base, limits, models, ...npm('markdown-it', 'dompurify')], false],
  'views-and-extension': [
    '^src/(views/|extension\\.ts$)',
    [base, limits, rpc, service, models, messages, vscode],
    true,
  ],
};

const roomRules = Object.entries(rooms).map(([name, [path, mayImport, mayUseNode]]) => ({
  name: `room-${name}`,
  comment: 'docs/ARCHITECTURE.md, the table of rooms',
  severity: 'error',
  from: { path, ...(name === 'tools' ? { pathNot: models } : {}) },
  to: {
    // By name too: an older Node running this check does not know the newest core modules as its own.
    pathNot: [path, ...mayImport, ...(mayUseNode ? ['^node:'] : [])],
    ...(mayUseNode ? { dependencyTypesNot: ['core'] } : {}),
  },
}));

/** Doors through which types pass and values do not. */
const typesOnly = [
  { name: 'tools-know-deltas-by-type', from: { path: tools }, to: { path: sync } },
  { name: 'bridges-know-the-service-by-type', from: { path: '^src/bridges/' }, to: { path: service } },
  { name: 'rpc-knows-the-service-by-type', from: { path: rpc }, to: { path: service } },
  { name: 'views-know-the-service-by-type', from: { path: '^src/(views/|extension\\.ts$)' }, to: { path: service } },
].map(({ name, from, to }) => ({
  name,
  severity: 'error',
  from,
  to: { ...to, dependencyTypesNot: ['type-only'] },
}));

module.exports = {
  forbidden: [
    ...roomRules,
    ...typesOnly,
    {
      name: 'a-known-room',
      comment: 'A folder of src/ that the table does not name has no rules yet: give it a row.',
      severity: 'error',
      from: { path: '^src/', pathNot: Object.values(rooms).map(([path]) => path) },
      to: {},
    },
    {
      name: 'no-circles',
      severity: 'error',
      from: { path: '^src/' },
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'source-knows-no-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'only-vscode-has-vscode',
      severity: 'error',
      from: { path: '^(src|test)/', pathNot: '^(src/(views/|extension\\.ts$)|test/vscode/|test/views/)' },
      to: { path: vscode },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true, pathNot: '^(vscode$|node:)' } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
