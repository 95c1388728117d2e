/**
 * The live stream. The browser reconnects by itself and sends the last event id; when the server answers with an error it gives
 * up, and then a new stream is opened behind the last id that came.
 */
import type { FeedPost, Hello } from '../contract.ts'

export interface StreamHandlers {
  /** A connection stands. `resumed`: everything since the last one will follow; otherwise the page reloads its lists. */
  readonly onHello: (hello: Hello) => void
  readonly onPosts: (posts: readonly FeedPost[]) => void
  readonly onAlert: () => void
  readonly onLost: () => void
}

const retryMs = 2_000

export function openStream(handlers: StreamHandlers): void {
  let lastId = ''

  const open = () => {
    const after = lastId === '' ? '' : `?after=${encodeURIComponent(lastId)}`
    const source = new EventSource(`/api/stream${after}`)
    const on = (name: string, handle: (data: string) => void) =>
      source.addEventListener(name, (event: MessageEvent<string>) => {
        lastId = event.lastEventId
        handle(event.data)
      })
    on('hello', (data) => handlers.onHello(JSON.parse(data)))
    on('posts', (data) => handlers.onPosts(JSON.parse(data)))
    on('alert', () => handlers.onAlert())
    source.addEventListener('error', () => {
      handlers.onLost()
      if (source.readyState !== EventSource.CLOSED) return
      source.close()
      setTimeout(open, retryMs)
    })
  }

  open()
}
