import { nodeCrypto } from '../../src/crypto/node/crypto.ts';
import { fastCrypto } from '../fakes/fast-crypto.ts';
import { seededRandom } from '../fakes/seeded-random.ts';
import { cryptoContract } from './crypto.ts';

cryptoContract('node’s', (seed) => nodeCrypto(seededRandom(seed)));
cryptoContract('the fast fake', (seed) => fastCrypto(seededRandom(seed)));
