import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { assertStored, startWriter } from './writer-process.fixture.ts'

const kills = 10
const next = 2_000

describe(`a writer killed ${kills} times at random moments`, () => {
  const folder = temporaryFolder()
  after(() => folder.remove())

  it('leaves every offset exactly once', { timeout: 120_000 }, async () => {
    const options = { path: folder.path, next, step: 20, textLength: 500 }
    let killed = 0
    for (let run = 0; run < kills; run += 1) {
      const blocks = 1 + Math.floor(Math.random() * 6)
      let seen = 0
      const writer = startWriter(options, [], () => {
        seen += 1
        // A block takes some 20 ms: the moment is anywhere in the next one.
        if (seen === blocks) void sleep(Math.random() * 25).then(() => writer.child.kill('SIGKILL'))
      })
      if ((await writer.ended) === null) killed += 1
    }
    assert.equal(killed, kills)
    const last = startWriter(options)
    assert.equal(await last.ended, 0)
    await assertStored(folder.path, next)
  })
})
