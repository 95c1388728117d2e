import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { AllocationContext, Heard } from '../allocator/allocator.ts'
import { createCalibration } from '../allocator/calibration.ts'
import { createStaticAllocator } from '../allocator/static.ts'
import { withShadow } from './shadow.ts'
import { standIn, standInCalibration, standInWeights } from './stand-in.ts'

const weights = { news: { a: 0.7, b: 0.3, added: 0.5 }, comment: { a: 1 } }
const configured = { experts: ['a', 'b'], weights }
const allocator = createStaticAllocator({
  weights,
  experts: configured.experts.map((name) => ({ name })),
})
const at = (kind: 'news' | 'comment', offset = 0): AllocationContext => ({
  source: 'test',
  kind,
  language: 'en',
  textLength: 10,
  position: { logTopic: 'posts@0', partition: 0, offset },
})
const heard = (...names: string[]): Heard => new Map(names.map((name) => [name, undefined]))

describe('standIn', () => {
  it('gives an expert the place and the weight of the one it stands for', () => {
    const set = { experts: ['new', 'b'], standsFor: { new: 'a' } }
    const plan = standIn(allocator, set, configured).plan(at('news'))
    assert.deepEqual(plan.experts, ['new', 'b'])
    assert.deepEqual(plan.next(heard()), ['new', 'b'])
    assert.deepEqual(plan.next(heard('new')), ['b'])
    assert.deepEqual([plan.weight('new', 'topic'), plan.weight('b', 'topic')], [0.7, 0.3])
  })

  it('lets an expert of the config vote beside the others, where it has a weight', () => {
    const set = { experts: ['a', 'b', 'added'], standsFor: {} }
    const both = standIn(allocator, set, configured)
    const plan = both.plan(at('news'))
    assert.deepEqual(plan.experts, ['a', 'b', 'added'])
    assert.deepEqual(plan.next(heard('a', 'b')), ['added'])
    assert.deepEqual(plan.next(heard('a', 'b', 'added')), [])
    assert.equal(plan.weight('added', 'sentiment'), 0.5)
    assert.deepEqual(both.plan(at('comment')).experts, ['a'])
  })

  it('changes nothing for those whom the config names', () => {
    assert.equal(standIn(allocator, { experts: ['a', 'b'], standsFor: {} }, configured), allocator)
  })

  it('calibrates and refers to an expert by the name of the one it stands for', () => {
    const set = { experts: ['new', 'b'], standsFor: { new: 'a' } }
    const fitted = {
      task: 'topic',
      kind: 'news',
      experts: 'a+b',
      method: 'average',
      temperature: 0.5,
      rows: 10,
    } as const
    const calibration = standInCalibration(createCalibration([fitted]), set)
    assert.equal(
      calibration.temperature({
        task: 'topic',
        kind: 'news',
        method: 'average',
        experts: ['b', 'new'],
      }),
      0.5,
    )
    assert.deepEqual(standInWeights(weights, set), {
      news: { ...weights.news, new: 0.7 },
      comment: { ...weights.comment, new: 1 },
    })
  })
})

describe('withShadow', () => {
  const posts = 2_000
  const shadowed = (share: number, expert = 's') =>
    Array.from(
      { length: posts },
      (_, offset) => withShadow(allocator, { expert, share }).plan(at('news', offset)).shadows,
    ).filter((shadows) => shadows.includes(expert)).length

  it('listens on its share of the posts, the same ones each time, and nowhere else', () => {
    assert.deepEqual([shadowed(0), shadowed(1)], [0, posts])
    const third = shadowed(0.3)
    // Four standard deviations of a binomial.
    assert.ok(Math.abs(third - 0.3 * posts) < 4 * Math.sqrt(posts * 0.21), `${third}`)
    assert.equal(shadowed(0.3), third)
  })

  it('does not listen to one that votes', () => {
    assert.equal(shadowed(1, 'a'), 0)
  })
})
