/** What kafkajs throws, in the product's words: one sentence that says what to do, and whether a repetition can help. */
import { AppError, describeError } from '../../errors.ts'

const forbidden = /^(TOPIC|GROUP|CLUSTER|TRANSACTIONAL_ID)_AUTHORIZATION_FAILED$/
/** What was asked is wrong, and stays so. */
const hopeless = /^(INVALID_|POLICY_VIOLATION|UNSUPPORTED_)/
const connection =
  /^KafkaJS(Connection|ConnectionClosed|RequestTimeout|NoBrokerAvailable|BrokerNotFound|LockTimeout)Error$|^KafkaJSBrokerNotFound$/
const certificate = /certificate|self.signed|ssl|tls|EPROTO/i

interface ClientError {
  readonly name: string
  readonly message: string
  readonly type: string
}

/** kafkajs wraps: the innermost error tells. */
function innermost(error: unknown): ClientError {
  const fields = (typeof error === 'object' && error !== null ? error : {}) as Record<
    string,
    unknown
  >
  const inner = fields.cause ?? (Array.isArray(fields.errors) ? fields.errors[0] : undefined)
  if (inner instanceof Error && inner !== error) return innermost(inner)
  return {
    name: String(fields.name ?? ''),
    message: describeError(error),
    type: String(fields.type ?? ''),
  }
}

/** Kafka's own name of the error, such as TOPIC_ALREADY_EXISTS; '' where the broker did not answer with one. */
export function kafkaErrorType(error: unknown): string {
  return innermost(error).type
}

/** Whether the broker knows who asks, and does not allow it. */
export function isForbidden(error: unknown): boolean {
  return forbidden.test(kafkaErrorType(error))
}

interface Rule {
  applies(error: ClientError): boolean
  readonly code: 'LOG' | 'LOG_UNREACHABLE'
  readonly retryable: boolean
  /** `task` completes "Kafka refused", as in "to create the topic posts". */
  say(task: string, at: string, error: ClientError): string
}

/** The first that applies. */
const rules: readonly Rule[] = [
  {
    applies: ({ name, type }) =>
      name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED',
    code: 'LOG_UNREACHABLE',
    retryable: true,
    say: (_, at) =>
      `Kafka at ${at} refused the login: check kafka.sasl.mechanism, username and password`,
  },
  {
    applies: ({ name, message }) => connection.test(name) && certificate.test(message),
    code: 'LOG_UNREACHABLE',
    retryable: true,
    say: (_, at, { message }) =>
      `Kafka at ${at} could not be spoken to over TLS: check kafka.tls and the certificates (${message})`,
  },
  {
    // kafkajs trips over its own list of brokers when it has lost them all.
    applies: ({ name }) => connection.test(name) || name === 'TypeError',
    code: 'LOG_UNREACHABLE',
    retryable: true,
    say: (_, at, { message }) =>
      `No Kafka broker answers at ${at} (${message}): check kafka.brokers, kafka.tls and kafka.sasl`,
  },
  {
    applies: ({ type }) => forbidden.test(type),
    code: 'LOG',
    retryable: false,
    say: (task, _, { type }) => `Kafka does not allow this user ${task}: grant the right (${type})`,
  },
  {
    applies: ({ type }) => type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE',
    code: 'LOG',
    retryable: false,
    say: (task) => `Kafka refused ${task}: larger than the topic's max.message.bytes allows`,
  },
  {
    applies: ({ type }) => type === 'UNKNOWN_TOPIC_OR_PARTITION',
    code: 'LOG',
    retryable: true,
    say: (task) => `Kafka refused ${task}: there is no such topic or partition`,
  },
  {
    applies: ({ type }) => hopeless.test(type),
    code: 'LOG',
    retryable: false,
    say: (task, _, { type, message }) => `Kafka refused ${task}: ${type}, ${message}`,
  },
]

export function clientFailure(task: string, brokers: readonly string[], cause: unknown): AppError {
  if (cause instanceof AppError) return cause
  const error = innermost(cause)
  const rule = rules.find(({ applies }) => applies(error))
  if (rule !== undefined) {
    const { code, retryable, say } = rule
    return new AppError(code, say(task, brokers.join(', '), error), { retryable, cause })
  }
  const what = [error.type, error.message].filter((word) => word !== '').join(', ')
  return new AppError('LOG', `Kafka failed ${task}: ${what}`, { retryable: true, cause })
}
