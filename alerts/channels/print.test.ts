import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { it } from 'node:test'
import { sampleEvent } from '../event.fixture.ts'
import { createPrintChannel } from './print.ts'

it('prints one inert line an alert', async () => {
  const stream = new PassThrough({ encoding: 'utf8' })
  const channel = createPrintChannel(stream)
  const hostile = 'Evil\u001b]0;title\u0007\nsecond line\u009b31m\u202egnp'
  await channel.send({ id: 'n1', event: sampleEvent({ instrumentName: hostile }) })
  const printed = String(stream.read())
  assert.equal(printed.split('\n').length, 2)
  assert.doesNotMatch(printed.trimEnd(), /\p{Cc}|\p{Cf}/u)
  assert.match(printed, /^Alert: negative volume on Evil/)
})
