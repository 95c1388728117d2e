/** Alert mails by SMTP. The one file that imports nodemailer. */
import { createTransport } from 'nodemailer'
import { AppError, describeError } from '../../infra/errors.ts'
import { inert } from '../../infra/inert.ts'
import type { AlertEvent, AlertText } from '../contract.ts'
import type { Channel, Message } from './channel.ts'
import { explanation, headline } from './wording.ts'

export interface EmailOptions {
  readonly url: string
  readonly from: string
  readonly to: readonly string[]
  /** A server that does not answer for this long counts as down. */
  readonly timeoutMs: number
}

const maxSubjectLength = 200

export function createEmailChannel({ url, from, to, timeoutMs }: EmailOptions): Channel {
  const transport = createTransport({
    url,
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  return {
    name: 'email',
    async send(message) {
      try {
        await transport.sendMail({ from, to: [...to], ...mailOf(message, from) })
      } catch (cause) {
        throw new AppError('SMTP', `Mail was not taken: ${describeError(cause)}`, {
          cause,
          retryable: !isPermanent(cause),
        })
      }
    },
    close: async () => transport.close(),
  }
}

/** 5xx is the server's final word (RFC 5321, 4.2.1); all else may pass. */
function isPermanent(error: unknown): boolean {
  const code = (error as { responseCode?: unknown } | null)?.responseCode
  return typeof code === 'number' && code >= 500 && code < 600
}

interface Mail {
  readonly messageId: string
  readonly subject: string
  readonly text: string
  readonly html: string
}

export function mailOf({ id, event }: Message, from: string): Mail {
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'localhost'
  return {
    messageId: `<${id}@${domain}>`,
    subject: headline(event).slice(0, maxSubjectLength).toWellFormed(),
    text: plainBody(event),
    html: htmlBody(event),
  }
}

const plainText = ({ negative, posts, text }: AlertText): string =>
  `- P(negative) ${negative.toFixed(2)}${posts > 1 ? `, ${posts} posts` : ''}: ${inert(text)}`

function plainBody(event: AlertEvent): string {
  return [
    headline(event),
    '',
    ...explanation(event),
    '',
    'The most negative texts:',
    ...event.texts.map(plainText),
    '',
    event.link,
    '',
  ].join('\n')
}

const htmlText = ({ negative, text, publishedAt }: AlertText): string =>
  `<li><b>${negative.toFixed(2)}</b> ${escapeHtml(inert(text))} <small>${escapeHtml(publishedAt)}</small></li>`

function htmlBody(event: AlertEvent): string {
  const link = escapeHtml(event.link)
  return [
    '<!doctype html><html><head><meta charset="utf-8"></head><body>',
    `<h2>${escapeHtml(headline(event))}</h2>`,
    ...explanation(event).map((line) => `<p>${escapeHtml(line)}</p>`),
    '<p>The most negative texts, with P(negative):</p><ul>',
    ...event.texts.map(htmlText),
    `</ul><p><a href="${link}">${link}</a></p></body></html>`,
  ].join('\n')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => entities[character] ?? character)
