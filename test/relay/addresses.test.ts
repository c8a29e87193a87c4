import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import { readRelayAddress } from '../../src/protocol/relay-address.ts';
import { reachableHosts } from '../../src/relay/addresses.ts';

describe('relay: addresses for the setting', () => {
  it('names the public host first, and only what can stand in an address', () => {
    for (const listen of ['0.0.0.0', '::', '127.0.0.1', '::1', 'localhost', '192.0.2.7']) {
      const hosts = reachableHosts(listen, 'relay.example.org');
      assert.equal(hosts[0]!.host, 'relay.example.org');
      for (const { host } of hosts) assert.ok(readRelayAddress(`coterie-relay://${host}:1/${'A'.repeat(43)}`), host);
    }
  });

  it('says what is for this machine only', () => {
    assert.deepEqual(reachableHosts('127.0.0.1', undefined), [{ host: '127.0.0.1', from: 'this machine only' }]);
    assert.deepEqual(reachableHosts('::1', undefined), [{ host: '[::1]', from: 'this machine only' }]);
    assert.equal(reachableHosts('0.0.0.0', undefined).at(-1)!.host, '127.0.0.1');
  });

  it('names what it knows on a machine that does not tell its addresses', () => {
    const { networkInterfaces } = os;
    os.networkInterfaces = () => {
      throw new Error('not permitted');
    };
    syncBuiltinESMExports();
    try {
      assert.deepEqual(
        reachableHosts('0.0.0.0', 'relay.example.org').map(({ host }) => host),
        ['relay.example.org', '127.0.0.1'],
      );
    } finally {
      os.networkInterfaces = networkInterfaces;
      syncBuiltinESMExports();
    }
  });
});
