/** Holds the one event stream that all tabs of a browser share. */

import { Feed, type FeedMessage } from './events-feed';

const ports = new Set<MessagePort>();

const feed = new Feed('/api/v1/events', (message: FeedMessage) => {
  for (const port of ports) port.postMessage(message);
});

const scope = self as unknown as { onconnect: (event: MessageEvent) => void };

scope.onconnect = (event) => {
  const port = event.ports[0]!;
  ports.add(port);
  // A closed tab says goodbye; with the last one the stream is closed.
  port.onmessage = () => {
    ports.delete(port);
    port.close();
    if (ports.size === 0) feed.close();
  };
  if (ports.size === 1) feed.open();
  port.postMessage(feed.state);
};
