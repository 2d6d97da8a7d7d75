// The SDK's version, as hello and register tell it to the broker.

export const CLIENT_VERSION = '0.1.0'
