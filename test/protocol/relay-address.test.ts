import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import { DEFAULT_PORT, readRelayAddress, writeRelayAddress } from '../../src/protocol/relay-address.ts';

const key = new Uint8Array(32).fill(0xab);
const text = 'q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s';

describe('relay address', () => {
  it('T1 is read as it was written', () => {
    for (const address of [
      { host: 'relay.example.org', port: 2492, key, token: '' },
      { host: '127.0.0.1', port: 1, key, token: 'a-token_1' },
      { host: '[::1]', port: 65_535, key, token: '' },
    ]) {
      assert.deepEqual(readRelayAddress(writeRelayAddress(address)), address);
    }
    assert.equal(
      writeRelayAddress({ host: 'h', port: 80, key, token: 't' }),
      `coterie-relay://h:80/${text}/t`,
      'the documented form',
    );
  });

  it('T1 may leave out the port, and stand between spaces', () => {
    const address = { host: 'h', port: DEFAULT_PORT, key, token: '' };
    assert.deepEqual(readRelayAddress(` coterie-relay://h/${text}/\n`), address);
  });

  it('T1 refuses what is not one', () => {
    for (const bad of [
      '',
      'relay.example.org',
      `https://h/${text}`,
      `coterie-relay:///${text}`,
      'coterie-relay://h:2492',
      `coterie-relay://h:0/${text}`,
      `coterie-relay://h:65536/${text}`,
      `coterie-relay://h/${text.slice(1)}`,
      `coterie-relay://h/${text.slice(0, -1)}t`,
      `coterie-relay://user@h/${text}`,
      `coterie-relay://h/${text}/to ken`,
      `coterie-relay://h/${text}/a/b`,
      `coterie-relay://${'h'.repeat(600)}/${text}`,
      // A name that ends in a number is an IPv4 address, and these are none.
      `coterie-relay://999.1.1.1/${text}`,
      `coterie-relay://1.2.3.4.5:1/${text}`,
      `coterie-relay://a.5/${text}`,
      `coterie-relay://a.0x/${text}`,
      `coterie-relay://[:::]/${text}`,
    ]) {
      assert.equal(readRelayAddress(bad), undefined, bad);
    }
  });

  it('D4 any text is answered without an exception', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(60), (noise, at) => {
        const sound = `coterie-relay://h:80/${text}/t`;
        const read = readRelayAddress(sound.slice(0, at) + noise + sound.slice(at));
        if (read) assert.deepEqual(readRelayAddress(writeRelayAddress(read)), read);
        readRelayAddress(noise);
      }),
      { seed: 9, numRuns: 1_000 },
    );
  });
});
