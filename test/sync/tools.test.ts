/** Tools are members' to add, each under an id of its own. */
import assert from 'node:assert/strict';
import type { ToolId } from '../../src/base/ids.ts';
import { controlBody } from '../../src/sync/control.ts';
import { CHAT, stateOf, Team, type Copy } from './team.ts';

const OTHER = '00000000000000c7' as ToolId;
const add = (copy: Copy, tool: ToolId, kind: string) =>
  copy.control('addTool', controlBody.addTool(tool, kind, `${kind} of ${copy.person.name}`));

describe('A1 A6 words about tools', () => {
  it('A1 A6 nobody junior makes another of a tool that is there, whatever height he claims: what was written in it stays, and goes on', () => {
    const team = new Team('tools 1');
    const { founder } = team;
    const mallory = team.join('Mallory');
    // He names nothing that others write, so what he says sorts before it.
    for (let i = 0; i < 5; i++) founder.post(`${i}`);
    add(founder, OTHER, 'chat');
    const before = founder.post('before', OTHER);
    const forged = add(mallory, OTHER, 'files');
    mallory.meet(founder);
    const after = founder.post('after', OTHER);
    mallory.meet(founder);
    const [first, second] = [forged, before].map((id) => founder.replica.node(id)!.height) as [number, number];
    assert.ok(first < second);
    for (const copy of [founder, mallory]) {
      assert.deepEqual(copy.replica.roster.tools.get(OTHER), { tool: OTHER, kind: 'chat', name: 'chat of Alice' });
      assert.deepEqual([copy.verdict(before), copy.verdict(after)], ['accepted', 'accepted']);
    }
    assert.deepEqual(stateOf(mallory.replica), stateOf(founder.replica));
  });

  it('A10 what was deleted comes back by who may delete it alone, and not by who had not heard of that', () => {
    const team = new Team('tools 2');
    const { founder } = team;
    const [bob, mallory] = [team.join('Bob'), team.join('Mallory')];
    for (const copy of [bob, mallory]) copy.meet(founder);
    const post = founder.post('to be gone');
    founder.control('deleteTool', controlBody.deleteTool(CHAT));
    bob.meet(founder);
    assert.equal(bob.verdict(add(bob, CHAT, 'chat')), 'notPermitted');
    // Higher than the word that he leaves out.
    for (let i = 0; i < 5; i++) mallory.file(`${i}`);
    const again = add(mallory, CHAT, 'chat');
    for (const copy of [bob, mallory]) copy.meet(founder);
    founder.meet(bob, mallory);
    for (const { replica } of [founder, bob, mallory]) assert.equal(replica.roster.tools.has(CHAT), false);
    assert.equal(founder.replica.fold.row(CHAT, 'posts', post), undefined);
    assert.equal(founder.verdict(again), 'accepted');
    assert.equal(founder.verdict(founder.post('nowhere')), 'unknownTool');
    assert.equal(founder.verdict(add(founder, CHAT, 'chat')), 'accepted');
    assert.equal(founder.verdict(founder.post('again')), 'accepted');
    assert.notEqual(founder.replica.fold.row(CHAT, 'posts', post), undefined);
    for (const copy of [bob, mallory]) {
      copy.meet(founder);
      assert.deepEqual(stateOf(copy.replica), stateOf(founder.replica));
    }
  });
});
