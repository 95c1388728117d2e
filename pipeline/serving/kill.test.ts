import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { ChildOptions } from './promote-child.fixture.ts'
import { startWorld, temporaryFolder } from './world.fixture.ts'

const posts = 160

describe('a promotion whose process was killed', () => {
  const folder = temporaryFolder()
  after(() => folder.remove())

  it('goes on where it stopped, and doubles nothing', { timeout: 60_000 }, async () => {
    await killedAfterBlocks(3, { folder: folder.path, posts, rowsAtOnce: 20 })
    const world = await startWorld({ folder: folder.path })
    const rescoredOf = (revision: number) =>
      world.store.query<{ rows: number; newest: string }>(
        'SELECT count() AS rows, max(scored_at) AS newest FROM rescored WHERE revision = {revision:UInt32}',
        { revision },
      )
    const { rescoring } = world.serving.state()
    assert.ok(rescoring !== undefined)
    const [kept] = await rescoredOf(rescoring.revision)
    assert.ok(kept !== undefined && kept.rows > 0 && kept.rows < 2 * posts)
    assert.equal(await differingTones(), 1)

    const order = { expert: 'bleak', replaces: 'calm', force: true, by: 'eve', note: '', days: 28 }
    await world.promotions.promote(order)
    await world.promotions.settled()
    assert.deepEqual(world.promotions.progress(), {
      action: 'promote',
      expert: 'bleak',
      state: 'done',
      revision: rescoring.revision,
      total: posts - (await rescoredBefore(kept.newest)),
      left: 0,
      error: '',
    })
    const ids =
      'log_topic, partition, offset, ordinal, post_id, instrument, content_hash, appended_at'
    const [apart] = await world.store.query<{
      rows: number
      revised: number
      missing: number
      alien: number
    }>(
      `SELECT
         (SELECT count() FROM analyses) AS rows,
         (SELECT count() FROM rescored) AS revised,
         (SELECT count() FROM (SELECT ${ids} FROM analyses EXCEPT SELECT ${ids} FROM rescored)) AS missing,
         (SELECT count() FROM (SELECT ${ids} FROM rescored EXCEPT SELECT ${ids} FROM analyses)) AS alien`,
    )
    assert.deepEqual(apart, { rows: apart?.rows, revised: apart?.rows, missing: 0, alien: 0 })
    assert.equal(await differingTones(), 1)
    await world.stop()

    /** What people see is of one kind before and after: never half of each. */
    async function differingTones(): Promise<number> {
      return new Set((await world.shown()).map(({ negative }) => negative)).size
    }

    async function rescoredBefore(newest: string): Promise<number> {
      const [row] = await world.store.query<{ offsets: number }>(
        "SELECT count() AS offsets FROM rescored WHERE ordinal = 0 AND scored_at <= {newest:DateTime64(3, 'UTC')}",
        { newest },
      )
      return row?.offsets ?? 0
    }
  })
})

/** Runs the child until it has stored so many blocks of the re-scoring, and kills it in the middle of the next one. */
async function killedAfterBlocks(blocks: number, options: ChildOptions): Promise<void> {
  const file = fileURLToPath(new URL('./promote-child.fixture.js', import.meta.url))
  const child = spawn(process.execPath, [file, JSON.stringify(options)], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let seen = 0
  createInterface({ input: child.stdout }).on('line', () => {
    seen += 1
    if (seen === blocks) child.kill('SIGKILL')
  })
  const [, signal] = await once(child, 'exit')
  assert.equal(signal, 'SIGKILL')
}
