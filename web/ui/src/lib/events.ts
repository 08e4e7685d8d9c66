import { Feed, type FeedMessage } from './events-feed';

/** Listens to the line's events until the returned function is called. */
export function listen(receive: (message: FeedMessage) => void): () => void {
  if (typeof SharedWorker === 'undefined') {
    const feed = new Feed('/api/v1/events', receive);
    feed.open();
    receive(feed.state);
    return () => feed.close();
  }
  const worker = new SharedWorker(new URL('./events-worker.ts', import.meta.url), {
    type: 'module',
    name: 'coilsight-events',
  });
  worker.port.onmessage = (event: MessageEvent<FeedMessage>) => receive(event.data);
  const leave = () => worker.port.postMessage('leave');
  addEventListener('pagehide', leave);
  return () => {
    removeEventListener('pagehide', leave);
    leave();
  };
}
