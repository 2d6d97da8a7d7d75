// The face of @tq/broker: a broker that a program starts by itself.

export { Broker, type BrokerParts } from './broker.ts'
export { StoreError } from './storage/port.ts'
