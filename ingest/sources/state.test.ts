import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { silentLogger } from '../../infra/logger.ts'
import { createStateStore } from './state.ts'

it('keeps the last state of those that are saved at the same time', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-state-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const store = createStateStore(folder, silentLogger)
  const times = Array.from({ length: 50 }, (_, i) => i)
  await Promise.all(times.map((lastSuccessMs) => store.save('topic', { lastSuccessMs })))
  assert.deepEqual(await store.load('topic'), { lastSuccessMs: 49 })
})
