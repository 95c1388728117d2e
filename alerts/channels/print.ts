/** One line on a stream for people at a terminal. */
import type { Writable } from 'node:stream'
import { inert } from '../../infra/inert.ts'
import type { Channel } from './channel.ts'
import { explanation, headline } from './wording.ts'

export function createPrintChannel(stream: Writable): Channel {
  return {
    name: 'print',
    send: ({ event }) =>
      new Promise((resolve, reject) => {
        const line = [headline(event), explanation(event)[0], inert(event.link)].join(' ')
        stream.write(`${line.trim()}\n`, (error) => (error ? reject(error) : resolve()))
      }),
    close: async () => {},
  }
}
