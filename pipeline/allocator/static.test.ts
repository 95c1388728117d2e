import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createStaticAllocator } from './static.ts'

const experts = [
  { name: 'linear', tasks: ['sentiment', 'topic'] as const },
  { name: 'lexicon', tasks: ['sentiment'] as const },
]
const context = {
  language: 'en',
  textLength: 10,
  position: { logTopic: 'posts@0', partition: 0, offset: 0 },
}

test('each expert runs on its own tasks, with the weight of the kind', () => {
  const allocator = createStaticAllocator({
    experts,
    weights: { news: { linear: 0.9, lexicon: 0.1 }, comment: { linear: 0.4 } },
  })
  const assigned = (kind: 'news' | 'comment') =>
    allocator
      .allocate({ ...context, kind })
      .assignments.map(({ expert, task, weight }) => `${expert} ${task} ${weight}`)
  assert.deepEqual(assigned('news'), [
    'linear sentiment 0.9',
    'linear topic 0.9',
    'lexicon sentiment 0.1',
  ])
  assert.deepEqual(assigned('comment'), ['linear sentiment 0.4', 'linear topic 0.4'])
})

test('an allocation says that it is static, whole, and without feedback', () => {
  const allocator = createStaticAllocator({ experts, weights: { news: {}, comment: {} } })
  assert.deepEqual(allocator.allocate({ ...context, kind: 'news' }), {
    strategy: 'static',
    assignments: [],
    degraded: false,
    weightsVersion: -1,
  })
})
