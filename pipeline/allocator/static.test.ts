import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStaticAllocator } from './static.ts'

const experts = [{ name: 'linear' }, { name: 'lexicon' }]
const context = {
  source: 'desk',
  language: 'en',
  textLength: 10,
  position: { logTopic: 'posts@0', partition: 0, offset: 0 },
}

test('each expert with a weight of the kind runs, all at once', () => {
  const allocator = createStaticAllocator({
    experts,
    weights: { news: { linear: 0.9, lexicon: 0.1 }, comment: { linear: 0.4 } },
  })
  const weights = (kind: 'news' | 'comment') => {
    const plan = allocator.plan({ ...context, kind })
    return plan.next(new Map()).map((expert) => [expert, plan.weight(expert, 'sentiment')])
  }
  assert.deepEqual(weights('news'), [
    ['linear', 0.9],
    ['lexicon', 0.1],
  ])
  assert.deepEqual(weights('comment'), [['linear', 0.4]])
})

test('topics may have weights of their own', () => {
  const plan = createStaticAllocator({
    experts,
    weights: { news: { linear: 0.9, lexicon: 0.1 }, comment: {} },
    topicWeights: { news: { linear: 0.3 }, comment: {} },
  }).plan({ ...context, kind: 'news' })
  assert.deepEqual(
    [plan.weight('linear', 'sentiment'), plan.weight('linear', 'topic'), plan.next(new Map())],
    [0.9, 0.3, ['linear', 'lexicon']],
  )
})

test('who was heard is not asked again, whether it answered or not', () => {
  const weights = { linear: 1, lexicon: 1 }
  const plan = createStaticAllocator({
    experts,
    weights: { news: weights, comment: weights },
  }).plan({
    ...context,
    kind: 'news',
  })
  assert.deepEqual(plan.next(new Map([['linear', undefined]])), ['lexicon'])
})

test('a plan says that it is static, whole, and without feedback', () => {
  const plan = createStaticAllocator({ experts, weights: { news: {}, comment: {} } }).plan({
    ...context,
    kind: 'news',
  })
  assert.deepEqual(
    [plan.strategy, plan.experts, plan.isDegraded(new Map()), plan.weightsVersion],
    ['static', [], false, -1],
  )
})
