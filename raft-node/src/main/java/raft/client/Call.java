package raft.client;

/**
 * A request on its way.
 *
 * @param id the client's, unique among its unanswered requests on this connection; 64 bits, not 0,
 *     which stands for the connection itself
 * @param command the request's bytes as they arrived, see {@link ClientCodec#encodeCommand}: what a
 *     server puts into its log
 */
public record Call(long id, Request request, Blob command) {}
