export { Channel } from "./Channel.js";
export type {
  AnyEvents,
  ChannelGap,
  ChannelHandlers,
  ChannelHistory,
  ChannelHistoryOptions,
  ChannelMember,
  ChannelMessage,
  ChannelMessageOf,
  ChannelMethods,
  ChannelSubscribeOptions,
  ChannelSubscription,
  MembersChange,
  SubscribedChannel,
} from "./ChannelContract.js";
export { CollabConnection } from "./CollabConnection.js";
export type { CollabConnectionEvents, CollabConnectionOptions, CollabStatus } from "./CollabConnection.js";
export { CollabError } from "./CollabError.js";
export type { CollabErrorCode } from "./CollabError.js";
export { CollabProvider } from "./CollabProvider.js";
export type { CollabProviderEvents, CollabProviderOptions } from "./CollabProvider.js";
export type { DocumentAccess, HubMethods, HubProtocol, JoinedDocument, SyncedDocument } from "./HubContract.js";
export type { Transport, TransportMode } from "./transports.js";
export { TypedEvents } from "./TypedEvents.js";
export type { EventMap } from "./TypedEvents.js";
export { commentRange, Comments } from "./Comments.js";
export type { Comment, CommentAuthor, CommentsEvents, CommentText, NewComment } from "./Comments.js";
