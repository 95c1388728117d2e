import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Gate } from './gate.ts'

/** A piece of work that ends when it is told to. */
function work(events: string[], name: string) {
  let end: () => void = () => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const run = async () => {
    events.push(`${name} begins`)
    await ended
    events.push(`${name} ends`)
  }
  return { run, end }
}

describe('Gate', () => {
  it('waits for those inside, and lets nobody in while it is closed', async () => {
    const events: string[] = []
    const [first, second, switching, late] = ['first', 'second', 'switching', 'late'].map((name) =>
      work(events, name),
    )
    assert.ok(first && second && switching && late)
    const gate = new Gate()
    const all = [gate.pass(first.run), gate.pass(second.run)]
    all.push(gate.close(switching.run), gate.pass(late.run))
    second.end()
    await all[1]
    assert.deepEqual(events, ['first begins', 'second begins', 'second ends'])
    first.end()
    await all[0]
    late.end()
    switching.end()
    await Promise.all(all)
    assert.deepEqual(events.slice(3), [
      'first ends',
      'switching begins',
      'switching ends',
      'late begins',
      'late ends',
    ])
  })

  it('opens again after a failure, and closes for one at a time', async () => {
    const gate = new Gate()
    await assert.rejects(
      gate.close(async () => {
        throw new Error('no')
      }),
      /no/,
    )
    const events: string[] = []
    const [a, b] = [work(events, 'a'), work(events, 'b')]
    const both = [gate.close(a.run), gate.close(b.run)]
    b.end()
    a.end()
    await Promise.all(both)
    assert.deepEqual(events, ['a begins', 'a ends', 'b begins', 'b ends'])
    assert.equal(await gate.pass(async () => 1), 1)
  })
})
