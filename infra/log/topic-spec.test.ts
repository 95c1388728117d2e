import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkName, checkTopicSpecs } from './topic-spec.ts'

describe('topic specs', () => {
  const refused = [
    { name: 'no partitions', spec: { name: 'posts', partitions: 0 } },
    { name: 'part of a partition', spec: { name: 'posts', partitions: 1.5 } },
    { name: 'an empty name', spec: { name: '', partitions: 1 } },
    { name: 'a name with a slash', spec: { name: 'a/b', partitions: 1 } },
    { name: 'no time to keep', spec: { name: 'posts', partitions: 1, retentionMs: 0 } },
    {
      name: 'no bytes to keep',
      spec: { name: 'posts', partitions: 1, retentionBytes: Number.NaN },
    },
    { name: 'feedback that ages', spec: { name: 'feedback', partitions: 1, retentionMs: 1 } },
    { name: 'control of a size', spec: { name: 'control', partitions: 1, retentionBytes: 1 } },
    { name: 'dead letters that age', spec: { name: 'posts.dead', partitions: 1, retentionMs: 1 } },
    { name: 'feedback without a total order', spec: { name: 'feedback', partitions: 2 } },
  ]
  for (const { name, spec } of refused)
    it(`refuse ${name}`, () => {
      assert.throws(() => checkTopicSpecs([spec]), { code: 'LOG' })
    })

  it('accept the topics of the monitor', () => {
    checkTopicSpecs([
      { name: 'posts', partitions: 4, retentionMs: 1_000, retentionBytes: 1_000 },
      { name: 'posts.dead', partitions: 1 },
      { name: 'feedback', partitions: 1 },
      { name: 'control', partitions: 1, retentionMs: undefined },
    ])
  })

  it('report every fault at once', () => {
    const specs = [
      { name: 'a b', partitions: 0 },
      { name: 'control', partitions: 3 },
    ]
    assert.throws(() => checkTopicSpecs(specs), /"a b" is no.*"a b" needs.*"control" needs/)
  })
})

it('group names are held to the same rule', () => {
  checkName('group', 'tickertone-pipeline')
  assert.throws(() => checkName('group', 'a b'), { code: 'LOG' })
})
