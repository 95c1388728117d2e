import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, it } from 'node:test'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { AppError } from '../../infra/errors.ts'
import { sampleEvent } from '../event.fixture.ts'
import { createEmailChannel, mailOf } from './email.ts'

const servers: SMTPServer[] = []

/** A real SMTP server on a free port; resolves with its URL. */
async function serve(options: SMTPServerOptions): Promise<string> {
  const server = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], ...options })
  servers.push(server)
  server.on('error', () => {})
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  return `smtp://127.0.0.1:${(server.server.address() as AddressInfo).port}`
}

const channelTo = (url: string, timeoutMs = 5_000) =>
  createEmailChannel({ url, from: 'alerts@example.org', to: ['desk@example.org'], timeoutMs })

afterEach(async () => {
  await Promise.all(
    servers.splice(0).map((server) => new Promise<void>((resolve) => server.close(resolve))),
  )
})

describe('the email channel', () => {
  it('delivers text and HTML under a stable Message-ID', async () => {
    const received: string[] = []
    const url = await serve({
      onData: (stream, _session, done) => {
        text(stream).then((mail) => {
          received.push(mail)
          done()
        }, done)
      },
    })
    const channel = channelTo(url)
    await channel.send({ id: 'n1', event: sampleEvent() })
    await channel.send({ id: 'n1', event: sampleEvent() })
    await channel.close()
    const ids = received.map((mail) => /^Message-ID: (.*)$/m.exec(mail)?.[1])
    assert.deepEqual(ids, ['<n1@example.org>', '<n1@example.org>'])
    assert.match(received[0] ?? '', /^To: desk@example.org\r$/m)
    assert.match(received[0] ?? '', /text\/plain/)
    assert.match(received[0] ?? '', /text\/html/)
  })

  const refusals = [
    { name: 'a busy server can be tried again', code: 451, retryable: true },
    { name: 'a server that refuses for good cannot', code: 554, retryable: false },
  ]
  for (const { name, code, retryable } of refusals)
    it(name, async () => {
      const url = await serve({
        onData: (stream, _session, done) => {
          stream.resume()
          stream.on('end', () => done(Object.assign(new Error('no'), { responseCode: code })))
        },
      })
      const channel = channelTo(url)
      await assert.rejects(channel.send({ id: 'n1', event: sampleEvent() }), (error) => {
        assert.ok(error instanceof AppError)
        assert.deepEqual([error.code, error.retryable], ['SMTP', retryable])
        return true
      })
      await channel.close()
    })

  it('does not wait for ever for a server that never answers', async () => {
    const url = await serve({ onMailFrom: () => {} })
    const channel = channelTo(url, 200)
    await assert.rejects(
      channel.send({ id: 'n1', event: sampleEvent() }),
      (error) => error instanceof AppError && error.retryable,
    )
    await channel.close()
  })

  it('can be tried again when nobody listens', async () => {
    const url = await serve({})
    await new Promise<void>((resolve) => servers.pop()?.close(resolve))
    const channel = channelTo(url)
    await assert.rejects(
      channel.send({ id: 'n1', event: sampleEvent() }),
      (error) => error instanceof AppError && error.retryable,
    )
    await channel.close()
  })
})

describe('mailOf', () => {
  const hostile = `Evil\r\nBcc: victim@example.org\r\n\r\n<script>alert(1)</script>\u001b[31m\u202e`
  const [sample] = sampleEvent().texts
  assert.ok(sample)
  const event = sampleEvent({ instrumentName: hostile, texts: [{ ...sample, text: hostile }] })

  it('keeps a subject on one line', () => {
    assert.doesNotMatch(mailOf({ id: 'n1', event }, 'a@example.org').subject, /\p{Cc}|\p{Cf}/u)
  })

  it('escapes untrusted text in HTML and leaves no control characters in either body', () => {
    const { html, text } = mailOf({ id: 'n1', event }, 'a@example.org')
    assert.doesNotMatch(html, /<script/)
    assert.match(html, /&lt;script&gt;/)
    for (const body of [html, text])
      assert.doesNotMatch(body.replaceAll('\n', ''), /\p{Cc}|\p{Cf}/u)
  })
})
