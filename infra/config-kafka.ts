/** The options of the log on a Kafka cluster. */
import Type, { type Static } from 'typebox'
import { section } from './config-section.ts'

export const KafkaOptions = Type.Object(
  {
    brokers: Type.Array(Type.String({ minLength: 1 }), {
      env: 'KAFKA_BROKERS',
      default: [],
      description: 'Bootstrap brokers, host:port, comma separated; empty: the embedded log.',
    }),
    clientId: Type.String({
      env: 'KAFKA_CLIENT_ID',
      minLength: 1,
      default: 'tickertone',
      description: "Name of this program in the brokers' logs and quotas.",
    }),
    topicPrefix: Type.String({
      env: 'KAFKA_TOPIC_PREFIX',
      default: '',
      pattern: '^[A-Za-z0-9._-]{0,100}$',
      description:
        'What the names of topics and groups on the cluster begin with: another one for each monitor that shares a cluster.',
    }),
    createTopics: Type.Boolean({
      env: 'KAFKA_CREATE_TOPICS',
      default: true,
      description:
        'Whether missing topics are created. Without it, or without the right to, they are checked, and each fault is named.',
    }),
    replicationFactor: Type.Integer({
      env: 'KAFKA_REPLICATION_FACTOR',
      minimum: -1,
      maximum: 32_767,
      default: -1,
      description: "Copies of a topic that is created; -1: the cluster's default.",
    }),
    minInsyncReplicas: Type.Integer({
      env: 'KAFKA_MIN_INSYNC_REPLICAS',
      minimum: 0,
      maximum: 32_767,
      default: 0,
      description:
        "Copies that must have a record of a topic that is created before it counts as taken; 0: the cluster's default.",
    }),
    compression: Type.Enum(['none', 'gzip'], {
      env: 'KAFKA_COMPRESSION',
      default: 'gzip',
      description: 'How records are sent.',
    }),
    sessionTimeoutMs: Type.Integer({
      env: 'KAFKA_SESSION_TIMEOUT_MS',
      minimum: 1_000,
      maximum: 300_000,
      default: 10_000,
      description:
        "Silence after which a process's partitions go to others; within the broker's group.min.session.timeout.ms and group.max.session.timeout.ms.",
    }),
    tls: Type.Object(
      {
        enabled: Type.Boolean({
          env: 'KAFKA_TLS',
          default: false,
          description: 'Whether the brokers are talked to over TLS.',
        }),
        caFile: Type.String({
          env: 'KAFKA_TLS_CA_FILE',
          default: '',
          description:
            "PEM file of the authority that signed the brokers' certificates; empty: those that Node.js trusts.",
        }),
        certFile: Type.String({
          env: 'KAFKA_TLS_CERT_FILE',
          default: '',
          description: "PEM file of this client's certificate, where the brokers ask for one.",
        }),
        keyFile: Type.String({
          env: 'KAFKA_TLS_KEY_FILE',
          default: '',
          description: 'PEM file of its private key.',
        }),
      },
      section,
    ),
    sasl: Type.Object(
      {
        mechanism: Type.Enum(['none', 'plain', 'scram-sha-256', 'scram-sha-512'], {
          env: 'KAFKA_SASL_MECHANISM',
          default: 'none',
          description: 'How this client logs in.',
        }),
        username: Type.String({
          env: 'KAFKA_SASL_USERNAME',
          default: '',
          description: 'Name that it logs in with.',
        }),
        password: Type.String({
          env: 'KAFKA_SASL_PASSWORD',
          default: '',
          secret: true,
          description: 'Password of that name. plain sends it as it is: use TLS.',
        }),
      },
      section,
    ),
  },
  section,
)
export type KafkaOptions = Static<typeof KafkaOptions>
