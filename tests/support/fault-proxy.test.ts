import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { after, before, beforeEach, describe, it } from 'node:test'
import { type FaultProxy, startFaultProxy } from './fault-proxy.fixture.ts'

/** Answers each piece with itself in capitals. */
describe('the fault proxy', () => {
  let heard = ''
  let server: Server
  let proxy: FaultProxy
  const clients: Socket[] = []

  before(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.on('data', (piece) => {
        heard += piece
        socket.write(piece.toString().toUpperCase())
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    proxy = await startFaultProxy({
      host: '127.0.0.1',
      port: (server.address() as AddressInfo).port,
    })
  })
  after(async () => {
    for (const client of clients) client.destroy()
    await proxy.close()
    await proxy.close()
    server.close()
  })
  beforeEach(() => {
    heard = ''
    proxy.play()
  })

  async function open(): Promise<Socket> {
    const client = connect({ host: proxy.host, port: proxy.port })
    client.on('error', () => undefined)
    clients.push(client)
    await once(client, 'connect')
    return client
  }
  const answer = async (client: Socket, words: string): Promise<string> => {
    client.write(words)
    const [piece] = await once(client, 'data')
    return String(piece)
  }
  /** How the connection ended: the error's code, or 'end'. */
  const end = (client: Socket): Promise<string> =>
    new Promise((resolve) => {
      client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
      client.once('end', () => resolve('end'))
      client.resume()
    })
  const any = () => true

  it('passes everything on, from several clients', async () => {
    const [first, second] = [await open(), await open()]
    assert.equal(await answer(first, 'one'), 'ONE')
    assert.equal(await answer(second, 'two'), 'TWO')
    assert.equal(await answer(first, 'three'), 'THREE')
  })

  it('cuts before the answer, which the server gave', async () => {
    const client = await open()
    assert.equal(await answer(client, 'before'), 'BEFORE')
    const struck = proxy.strike('answer', (request) => request.includes('cut me'), 'cut')
    client.write('cut me')
    assert.equal(await end(client), 'end')
    assert.equal((await struck).request.toString(), 'cut me')
    assert.equal(heard, 'beforecut me')
  })

  it('resets before the request, which the server never sees', async () => {
    const client = await open()
    const struck = proxy.strike('request', any, 'reset')
    client.write('never')
    assert.equal(await end(client), 'ECONNRESET')
    await struck
    assert.equal(heard, '')
  })

  it('cuts in the middle of a request', async () => {
    const closed = once(server, 'connection').then(([socket]) => once(socket, 'close'))
    const client = await open()
    const struck = proxy.strike('request', any, { cutAfter: 4 })
    client.write('four more')
    assert.equal(await end(client), 'end')
    await struck
    await closed
    assert.equal(heard, 'four')
  })

  it('holds an exchange while others go on, until it is told', async () => {
    const [slow, quick] = [await open(), await open()]
    const held = proxy.hold('request', (request) => request.includes('slow'))
    slow.write('slow')
    const { moment, decide } = await held
    assert.equal(moment.at, 'request')
    assert.equal(await answer(quick, 'quick'), 'QUICK')
    assert.equal(heard, 'quick')
    decide('pass')
    const [piece] = await once(slow, 'data')
    assert.equal(String(piece), 'SLOW')
  })

  it('asks its script at every moment', async () => {
    const moments: string[] = []
    proxy.play(({ at, request }) => {
      moments.push(`${at} ${request}`)
      return 'pass'
    })
    const client = await open()
    await answer(client, 'a')
    await answer(client, 'b')
    assert.deepEqual(moments, ['request a', 'answer a', 'request b', 'answer b'])
  })

  it('refuses connections until it accepts them again at the same port', async () => {
    const client = await open()
    await answer(client, 'a')
    const ended = end(client)
    await proxy.refuse()
    assert.equal(await ended, 'ECONNRESET')
    await assert.rejects(open(), /ECONNREFUSED/)
    await proxy.accept()
    assert.equal(await answer(await open(), 'again'), 'AGAIN')
  })
})
