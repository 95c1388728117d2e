import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { straceMissing } from '../../infra/strace.fixture.ts'
import {
  assertStored,
  type Line,
  startWriter,
  type WriterProcess,
} from './writer-process.fixture.ts'

const raisedAttempt = (line: Line): boolean => (line.step?.attempt ?? 0) > 0

describe('a fault exactly at the rename that makes a part visible', {
  skip: straceMissing(),
}, () => {
  const folder = temporaryFolder()
  after(() => folder.remove())

  /** Ten offsets stored before, so that tables exist; the same boot for every child, so that tokens come again. */
  async function prepared(name: string) {
    const options = { path: join(folder.path, name), next: 40, step: 10, boot: 'same' }
    assert.equal(await startWriter({ ...options, next: 10 }).ended, 0)
    return options
  }

  /** A writer whose engine's first rename in every thread meets `fault`; parts do not merge, so it is an insert's. */
  function startFaulty(options: Parameters<typeof startWriter>[0], fault: string) {
    const trace = `${options.path}.trace`
    const inject = ['-e', 'trace=rename', '-e', `inject=rename:${fault}:when=1`]
    const writer: WriterProcess = startWriter(options, [
      'strace',
      '-f',
      '-qq',
      '-o',
      trace,
      ...inject,
    ])
    const firstRename = () => /rename\(.*/.exec(readFileSync(trace, 'utf8'))?.[0] ?? ''
    return { writer, firstRename }
  }

  it('killed there: the next process overcomes the poisoned token', {
    timeout: 60_000,
  }, async () => {
    const options = await prepared('killed')
    const { writer, firstRename } = startFaulty(options, 'signal=SIGKILL')
    assert.equal(await writer.ended, null)
    assert.match(firstRename(), /tmp_insert_/)
    assert.deepEqual(writer.lines, [])

    const next = startWriter(options)
    assert.equal(await next.ended, 0)
    assert.ok(next.lines.some(raisedAttempt), JSON.stringify(next.lines))
    await assertStored(options.path, options.next)
  })

  it('disk full there: the same process overcomes the poisoned token', {
    timeout: 60_000,
  }, async () => {
    const options = await prepared('full')
    const { writer, firstRename } = startFaulty(options, 'error=ENOSPC')
    assert.equal(await writer.ended, 0)
    assert.match(firstRename(), /tmp_insert_.*ENOSPC.*INJECTED/)
    assert.ok(writer.lines.some((line) => line.err?.code === 'DISK_FULL'))
    assert.ok(writer.lines.some(raisedAttempt), JSON.stringify(writer.lines))
    await assertStored(options.path, options.next)
  })
})
