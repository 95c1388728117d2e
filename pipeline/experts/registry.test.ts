import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobLimits, workerCount } from './registry.ts'

const counts = [
  { name: 'as many as the cores', count: 0, provider: 'cpu', cores: 8, expected: 8 },
  { name: 'one on a single core', count: 0, provider: 'cpu', cores: 1, expected: 1 },
  { name: 'one for a GPU', count: 0, provider: 'cuda', cores: 8, expected: 1 },
  { name: 'as many as asked for', count: 3, provider: 'cuda', cores: 1, expected: 3 },
] as const

for (const { name, cores, expected, ...workers } of counts)
  test(`workers: ${name}`, () => assert.equal(workerCount(workers, cores), expected))

const jobs = [
  { maxBatchTokens: 256, expected: { texts: 128, bytes: 65_536 } },
  { maxBatchTokens: 2_048, expected: { texts: 128, bytes: 65_536 } },
  { maxBatchTokens: 16_384, expected: { texts: 1_024, bytes: 524_288 } },
]

for (const { maxBatchTokens, expected } of jobs)
  test(`a job for batches of ${maxBatchTokens} tokens has ${expected.texts} texts`, () =>
    assert.deepEqual(jobLimits({ maxBatchTokens }), expected))
