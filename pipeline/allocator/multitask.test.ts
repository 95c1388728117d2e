import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Task } from '../contract.ts'
import type { AllocationContext, Heard } from './allocator.ts'
import { createMultitaskAllocator } from './multitask.ts'

const both: readonly Task[] = ['sentiment', 'topic']
const linear = { name: 'linear', tasks: both }
const minilm = { name: 'minilm', tasks: both, isEncoder: true }
const large = { name: 'large', tasks: both, isEncoder: true }
const oneTask = { name: 'sentiment-only', tasks: both.slice(0, 1), isEncoder: true }
const weights = {
  news: { linear: 0.2, minilm: 0.8, large: 0.5 },
  comment: { minilm: 0.4, large: 0.6 },
}

function plan(kind: AllocationContext['kind'], experts = [linear, oneTask, minilm]) {
  return createMultitaskAllocator({ experts, weights, fusion: 'average' }).plan({
    source: 'desk',
    kind,
    language: 'en',
    textLength: 10,
    position: { logTopic: 'posts@0', partition: 0, offset: 0 },
  })
}

const answer = { sentiment: [0, 0, 1] }
const heard = (...entries: [string, typeof answer | undefined][]): Heard => new Map(entries)

test('the encoder that judges every task is asked, and when it answers nobody else', () => {
  const { next, isDegraded, runProbability } = plan('news')
  assert.deepEqual(next(heard()), ['minilm'])
  assert.deepEqual(next(heard(['minilm', answer])), [])
  assert.equal(isDegraded(heard(['minilm', answer])), false)
  assert.equal(runProbability('minilm', heard(['minilm', answer])), 1)
  assert.equal(runProbability('linear', heard(['minilm', answer])), 0)
})

test('where it fails the others of the kind stand in, and the row is degraded', () => {
  const { next, isDegraded } = plan('news')
  assert.deepEqual(next(heard(['minilm', undefined])), ['linear'])
  assert.deepEqual(next(heard(['minilm', undefined], ['linear', answer])), [])
  assert.equal(isDegraded(heard(['minilm', undefined], ['linear', answer])), true)
  assert.deepEqual(plan('comment').next(heard(['minilm', undefined])), [])
})

test('of several encoders the one with the larger weight for the kind is asked', () => {
  const experts = [linear, minilm, large]
  assert.deepEqual(plan('news', experts).next(heard()), ['minilm'])
  assert.deepEqual(plan('comment', experts).next(heard()), ['large'])
})

test('without an encoder that judges every task there is none', () => {
  assert.throws(() => plan('news', [linear, oneTask]), { code: 'CONFIG' })
})
