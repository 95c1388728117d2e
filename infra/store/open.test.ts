import assert from 'node:assert/strict'
import { type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { AppError, type ErrorCode } from '../errors.ts'
import { straceMissing } from '../strace.fixture.ts'
import { temporaryFolder } from './analyses.fixture.ts'
import { openEmbeddedStore } from './embedded.ts'

const child = fileURLToPath(new URL('./open-child.fixture.js', import.meta.url))

/** A second process, because a process has one data folder. */
function startChild(path: string, options: SpawnOptions = {}) {
  const running = spawn(process.execPath, [child, path], {
    ...options,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  return {
    pid: running.pid,
    async says(): Promise<unknown> {
      const [line] = await once(running.stdout, 'data')
      return JSON.parse(String(line))
    },
    async end(signal?: NodeJS.Signals): Promise<void> {
      const gone = once(running, 'exit')
      if (signal === undefined) running.stdin.end()
      else running.kill(signal)
      await gone
    },
  }
}

function failsWith(code: ErrorCode, message: RegExp) {
  return (error: unknown): boolean => {
    assert.ok(error instanceof AppError, String(error))
    assert.equal(error.code, code)
    assert.match(error.message, message)
    return true
  }
}

describe('opening the embedded store', () => {
  const folder = temporaryFolder()
  const path = join(folder.path, 'deep', 'store')
  after(() => folder.remove())

  it('creates the folder, and finds its rows again under a new boot', async () => {
    const first = await openEmbeddedStore({ path })
    await first.insert('log_epochs', [
      { topic: 'posts', epoch: 3, started_at: '2026-01-01 00:00:00.000' },
    ])
    await first.close()
    await first.close()
    const second = await openEmbeddedStore({ path })
    assert.deepEqual(await second.query('SELECT epoch FROM log_epochs'), [{ epoch: 3 }])
    assert.deepEqual(
      await second.query(
        "SELECT count() AS times FROM migrations WHERE name = '0001-analyses.sql'",
      ),
      [{ times: 1 }],
    )
    assert.notEqual(first.boot, second.boot)
    await second.close()
  })

  it('finishes what is under way when it closes, and refuses what comes after', async () => {
    const store = await openEmbeddedStore({ path })
    const underWay = store.query(
      'SELECT sleepEachRow(0.1) AS slept FROM numbers(3)',
      {},
      { lane: 'analyst' },
    )
    await store.close()
    assert.equal((await underWay).length, 3)
    await assert.rejects(store.query('SELECT 1'), failsWith('STORE', /is closed/))
    await assert.rejects(store.command('SELECT 1'), failsWith('STORE', /is closed/))
  })

  it('refuses a second opening in this process', async () => {
    const store = await openEmbeddedStore({ path })
    await assert.rejects(
      openEmbeddedStore({ path: join(path, '.') }),
      failsWith('DATA_FOLDER_HELD', new RegExp(`process ${process.pid}`)),
    )
    await store.close()
  })

  it('names the process that holds the folder, until it is gone', async () => {
    const holder = startChild(path)
    assert.equal(await holder.says(), 'open')
    await assert.rejects(
      openEmbeddedStore({ path }),
      failsWith('DATA_FOLDER_HELD', new RegExp(`${path} is in use by process ${holder.pid}: stop`)),
    )
    await holder.end('SIGKILL')
    await (await openEmbeddedStore({ path })).close()
  })

  it('refuses a folder that is a file', async () => {
    const file = join(folder.path, 'file')
    writeFileSync(file, '')
    await assert.rejects(
      openEmbeddedStore({ path: file }),
      failsWith('DATA_FOLDER', /file cannot be written .* TICKERTONE_DATA_DIR/),
    )
  })

  it('refuses a read-only folder', async () => {
    const readOnly = join(folder.path, 'read-only')
    mkdirSync(readOnly)
    chmodSync(readOnly, 0o555)
    chmodSync(folder.path, 0o755)
    // Permissions do not hold for root.
    const opening = startChild(
      readOnly,
      process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {},
    )
    assert.deepEqual(Object.entries((await opening.says()) as object).slice(0, 1), [
      ['code', 'DATA_FOLDER'],
    ])
    await opening.end()
  })

  it('refuses a store of a newer version and leaves it as it is', async () => {
    const store = await openEmbeddedStore({ path })
    await store.insert('migrations', [{ name: '9999-future.sql' }])
    await store.close()
    await assert.rejects(
      openEmbeddedStore({ path }),
      failsWith('STORE', /newer version \(migration 9999-future\.sql\)/),
    )
  })
})

describe('a full disk', { skip: straceMissing() }, () => {
  const folder = temporaryFolder()
  after(() => folder.remove())

  it('is named when the folder cannot be made', () => {
    const path = join(folder.path, 'full')
    const inject = [
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-P',
      path,
      '-e',
      'trace=mkdir',
      '-e',
      'inject=mkdir:error=ENOSPC',
    ]
    const run = spawnSync('strace', [...inject, process.execPath, child, path], {
      input: '',
      encoding: 'utf8',
    })
    const { code, message } = JSON.parse(run.stdout) as { code: string; message: string }
    assert.equal(code, 'DISK_FULL')
    assert.match(message, new RegExp(`The disk of ${path} is full: free`))
  })
})
