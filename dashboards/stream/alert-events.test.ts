import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { deferred } from '../../infra/log/log.fixture.ts'
import { silentLogger } from '../../infra/logger.ts'
import type { Store } from '../../infra/store/store.ts'
import { toStoreTime } from '../../infra/store/store-time.ts'
import { openTestStore, type TestStore } from '../monitor.fixture.ts'
import { AlertEvents } from './alert-events.ts'

const minute = 60_000
const start = Date.parse('2026-03-01T12:00:00Z')

async function persist(store: Store, id: string, at: number): Promise<void> {
  const time = toStoreTime(at)
  const row = { alert_id: id, rule: 'r', instrument: 'i', state: 'firing', started_at: time }
  await store.insert('alert_events', [{ ...row, id, at: time, event: JSON.stringify({ id }) }])
}

/** Resolves with the ids of the next `count` events. */
function events(store: Pick<Store, 'query'>) {
  const told: string[] = []
  let wake = () => {}
  const followed = new AlertEvents({
    store,
    logger: silentLogger,
    pollMs: 5,
    onEvent(json) {
      told.push((JSON.parse(json) as { id: string }).id)
      wake()
    },
  })
  return {
    followed,
    async next(count: number): Promise<string[]> {
      while (told.length < count) await new Promise<void>((resolve) => (wake = resolve))
      return told.splice(0)
    },
  }
}

describe('alert events of whichever process', () => {
  let opened: TestStore
  before(async () => {
    opened = await openTestStore()
  })
  after(() => opened.close())

  it('tells each once, from its start on, also one that is persisted late', async () => {
    const { store } = opened
    await persist(store, 'old', start)
    const { followed, next } = events(store)
    await followed.start()
    await persist(store, 'b', start + 2 * minute)
    assert.deepEqual(await next(1), ['b'])
    await persist(store, 'b', start + 2 * minute)
    await persist(store, 'late', start + minute)
    await persist(store, 'c', start + 3 * minute)
    assert.deepEqual(new Set(await next(2)), new Set(['late', 'c']))
    await persist(store, 'much-later', start + 60 * minute)
    assert.deepEqual(await next(1), ['much-later'])
    await persist(store, 'd', start + 61 * minute)
    assert.deepEqual(await next(1), ['d'])
    await followed.stop()
  })

  it('goes on when a store that was away answers again', async () => {
    const refused = deferred()
    let isAway = false
    const query: Store['query'] = (...asked) => {
      if (!isAway) return opened.store.query(...asked)
      refused.resolve()
      return Promise.reject(new Error('away'))
    }
    const { followed, next } = events({ query })
    await followed.start()
    isAway = true
    await refused.promise
    await persist(opened.store, 'meanwhile', start + 70 * minute)
    isAway = false
    assert.deepEqual(await next(1), ['meanwhile'])
    await followed.stop()
  })

  it('loses and repeats nothing where the store goes away between the questions of one reading', async () => {
    const { store } = opened
    let failing = 'AS told'
    const readAtLast = deferred()
    const query: Store['query'] = async (sql, ...rest) => {
      if (failing !== '' && sql.includes(failing)) {
        failing = ''
        throw new Error('away')
      }
      const rows = await store.query<never>(sql, ...rest)
      if (sql.includes('AS told')) readAtLast.resolve()
      return rows
    }
    const { followed, next } = events({ query })
    await persist(store, 'before', start + 80 * minute)
    await followed.start()
    await readAtLast.promise
    failing = 'any(event)'
    await persist(store, 'first', start + 81 * minute)
    assert.deepEqual(await next(1), ['first'])
    await persist(store, 'second', start + 82 * minute)
    assert.deepEqual(await next(1), ['second'])
    await followed.stop()
  })
})
