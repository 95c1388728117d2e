import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadConfig } from '../infra/config.ts'
import type { Expert } from './experts/expert.ts'
import { withinMsOf } from './main.ts'

const { pipeline } = loadConfig({ env: { WORKERS_WITHIN_MS: '100' } })
const judge: Pick<Expert, 'tasks'> = { tasks: ['sentiment', 'topic'] }

test('an expert is waited for as long as the config says where another one judges too', () => {
  assert.deepEqual(withinMsOf([judge, { tasks: ['sentiment'] }], pipeline), {
    live: 100,
    history: 2_000,
  })
})

test('the only one that judges sentiment is waited for without end', () => {
  const endless = { live: Number.POSITIVE_INFINITY, history: Number.POSITIVE_INFINITY }
  assert.deepEqual(withinMsOf([judge], pipeline), endless)
  assert.deepEqual(withinMsOf([judge, { tasks: ['topic'] }], pipeline), endless)
})
