import assert from 'node:assert/strict'
import { it } from 'node:test'
import { silentLogger as logger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { createStatsKeeper } from './stats-keeper.ts'

/** Tables that are counted when the test says so. */
function slowStore() {
  const table = { state: '1', counts: 0 }
  let finish: (error?: Error) => void = () => {}
  const query = async (sql: string) => {
    if (sql.includes('AS state')) return [{ state: table.state }]
    if (!sql.includes('AS labels')) return []
    table.counts++
    return new Promise<never[]>((resolve, reject) => {
      finish = (error) => (error === undefined ? resolve([]) : reject(error))
    })
  }
  return {
    table,
    finish: (error?: Error) => finish(error),
    store: { query } as Pick<Store, 'query'>,
  }
}

it('counts once for all who ask, and again only when there are new labels', async () => {
  const { table, finish, store } = slowStore()
  let now = 0
  const stats = createStatsKeeper({ store, logger, clock: () => now, patienceMs: 60_000 })
  const asked = [stats(), stats(), stats()]
  await new Promise(setImmediate)
  finish()
  const answers = await Promise.all([...asked, stats()])
  assert.equal(table.counts, 1)
  assert.ok(answers.every(({ counted_at }) => counted_at === '1970-01-01T00:00:00.000Z'))
  table.state = '2'
  now = 1_000
  const again = stats()
  await new Promise(setImmediate)
  finish()
  assert.equal((await again).counted_at, '1970-01-01T00:00:01.000Z')
  assert.equal(table.counts, 2)
})

it('keeps nobody waiting: the last figures, or a refusal that says to come again', async () => {
  const { table, finish, store } = slowStore()
  const stats = createStatsKeeper({ store, logger, clock: () => 0, patienceMs: 1 })
  await assert.rejects(stats(), { code: 'STORE', retryable: true })
  await assert.rejects(stats(), { code: 'STORE', retryable: true })
  assert.equal(table.counts, 1)
  finish()
  await new Promise(setImmediate)
  const first = await stats()
  table.state = '2'
  assert.equal(await stats(), first)
  assert.equal(table.counts, 2)
  finish(new Error('it broke'))
  await new Promise(setImmediate)
  assert.equal(await stats(), first)
})
