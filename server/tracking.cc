#include "server/tracking.h"

#include <algorithm>
#include <utility>

#include "protocol/output_buffer.h"
#include "protocol/reply_writer.h"
#include "server/loop_state.h"
#include "server/server.h"
#include "server/session.h"

namespace spinel {
namespace {

constexpr std::string_view kChannel = "__redis__:invalidate";
constexpr int kLoopBits = 8;

// The store's name for a client: its id and its loop.
TrackingClient NameOf(const Session& session) {
  return session.id << kLoopBits | static_cast<uint64_t>(session.origin.loop);
}
uint64_t IdOf(TrackingClient client) { return client >> kLoopBits; }
int LoopOf(TrackingClient client) {
  return static_cast<int>(client & ((uint64_t{1} << kLoopBits) - 1));
}

uint32_t FlagsOf(const Session& session) {
  return session.tracking.load(std::memory_order_relaxed);
}

using KeyNames = std::vector<std::string_view>;

std::shared_ptr<const std::string> Spell(const KeyNames& keys) {
  OutputBuffer out;
  ReplyWriter writer(&out, RespVersion::kResp2);
  writer.Array(static_cast<int64_t>(keys.size()));
  for (const std::string_view key : keys) writer.Bulk(key);
  return std::make_shared<const std::string>(out.Flatten());
}

// The session of a client of the loop that this is called on; null: it is gone.
Session* Find(Server* server, int loop, uint64_t id) {
  Session* found = nullptr;
  server->clients().Visit(id, [&found, loop](Session& session) {
    const bool closing = session.closing.load(std::memory_order_relaxed);
    if (!closing && session.origin.loop == loop) found = &session;
  });
  return found;
}

// The loop of a client; -1: it is gone.
int FindLoop(Server* server, uint64_t id) {
  int loop = -1;
  server->clients().Visit(id, [&loop](const Session& session) {
    if (!session.closing.load(std::memory_order_relaxed)) loop = session.origin.loop;
  });
  return loop;
}

// The whole message for a client that is told itself, or instead of another (`redirected`). Null:
// its protocol knows no such messages.
std::shared_ptr<const std::string> MessageFor(const Session& session, const std::string* keys,
                                              bool redirected) {
  OutputBuffer out;
  ReplyWriter writer(&out, session.resp());
  if (session.resp() == RespVersion::kResp3) {
    writer.Push(2);
    writer.Bulk("invalidate");
  } else if (redirected && session.subscribed()) {
    writer.Array(3);
    writer.Bulk("message");
    writer.Bulk(kChannel);
  } else {
    return nullptr;
  }
  if (keys != nullptr) {
    writer.Raw(*keys);
  } else {
    writer.Null();
  }
  return std::make_shared<const std::string>(out.Flatten());
}

// Keys of a prefix among sorted ones that somebody else than `except` has changed last.
KeyNames KeysOf(const std::map<std::string, uint64_t, std::less<>>& changed,
                std::string_view prefix, uint64_t except) {
  KeyNames keys;
  for (auto key = changed.lower_bound(prefix);
       key != changed.end() && std::string_view(key->first).substr(0, prefix.size()) == prefix;
       ++key) {
    if (except == 0 || key->second != except) keys.push_back(key->first);
  }
  return keys;
}

// Memory of a prefix: the client's name for it, and ours with the client.
size_t BytesOfPrefix(std::string_view prefix) {
  return 2 * (sizeof(std::string) + prefix.size()) + sizeof(uint64_t);
}

}  // namespace

// -- Who tracks
// ------------------------------------------------------------------------------------

void Tracking::Enable(Session* session, uint32_t options, uint64_t redirect,
                      std::span<const std::string_view> prefixes) {
  const bool fresh = !session->tracks();
  const uint32_t caching = FlagsOf(*session) & kTrackCaching;
  session->tracking_redirect.store(redirect, std::memory_order_relaxed);
  session->tracking.store(kTracking | options | caching, std::memory_order_relaxed);
  const bool broadcast = (options & kTrackBroadcast) != 0;
  if (fresh && broadcast) server_->store().CountBroadcaster(/*comes=*/true);

  if (broadcast && session->tracking_prefixes == nullptr) {
    session->tracking_prefixes = std::make_unique<TextSet>();
  }
  MutexLock lock(&mutex_);
  if (fresh) ++clients_;
  if (!broadcast) return;
  broadcasters_[session->id] = {session->origin.loop, (options & kTrackNoLoop) != 0};
  const std::string_view every_key;
  for (const std::string_view prefix : prefixes.empty() ? std::span(&every_key, 1) : prefixes) {
    if (!session->tracking_prefixes->emplace(prefix).second) continue;
    session->listed_bytes.fetch_add(BytesOfPrefix(prefix), std::memory_order_relaxed);
    prefixes_[std::string(prefix)].insert(session->id);
  }
}

void Tracking::Disable(Session* session) {
  if (!session->tracks()) return;
  const bool broadcast = (FlagsOf(*session) & kTrackBroadcast) != 0;
  session->tracking.store(0, std::memory_order_relaxed);
  session->tracking_redirect.store(0, std::memory_order_relaxed);
  if (broadcast) server_->store().CountBroadcaster(/*comes=*/false);
  const std::unique_ptr<TextSet> prefixes = std::move(session->tracking_prefixes);
  MutexLock lock(&mutex_);
  --clients_;
  if (!broadcast) return;
  broadcasters_.erase(session->id);
  for (const std::string& prefix : *prefixes) {
    session->listed_bytes.fetch_sub(BytesOfPrefix(prefix), std::memory_order_relaxed);
    const auto found = prefixes_.find(prefix);
    found->second.erase(session->id);
    if (found->second.empty()) prefixes_.erase(found);
  }
}

Tracking::Totals Tracking::totals() const {
  MutexLock lock(&mutex_);
  return {clients_, prefixes_.size()};
}

// -- What they read
// --------------------------------------------------------------------------------

std::vector<Key> Tracking::KeysRead(const Session& session, const Command& command,
                                    CommandArgs args) {
  const uint32_t flags = FlagsOf(session);
  // The next command after CLIENT CACHING is the exception to what OPTIN and OPTOUT say.
  const bool caching = (flags & kTrackCaching) != 0;
  // Of a script the keys count that its commands read, not those that it declares.
  const bool reads = command.Has(kReadOnly) && !command.Has(kNoMandatoryKeys);
  if ((flags & kTrackBroadcast) != 0 || !reads || ((flags & kTrackOptIn) != 0 && !caching) ||
      ((flags & kTrackOptOut) != 0 && caching)) {
    return {};
  }
  std::vector<int> indexes;
  if (!ExtractKeys(*command.spec, args, &indexes)) return {};
  std::vector<Key> keys;
  keys.reserve(indexes.size());
  for (const int index : indexes) keys.push_back(Store::MakeKey(args[static_cast<size_t>(index)]));
  return keys;
}

void Tracking::Note(const Session& session, std::span<const Key> keys) {
  for (const Key& key : keys) server_->store().Track(key, NameOf(session));
}

void Tracking::EndCaching(Session* session) {
  session->tracking.fetch_and(~uint32_t{kTrackCaching}, std::memory_order_relaxed);
}

void Tracking::EvictBeyondLimit(LoopState* loop) {
  const auto most = static_cast<uint64_t>(server_->config().tracking_table_max_keys());
  if (most == 0 ||
      server_->store().tracking_totals().keys.load(std::memory_order_relaxed) <= most) {
    return;
  }
  server_->store().EvictTracked(loop->op, most);
}

// -- Telling them
// ----------------------------------------------------------------------------------

void Tracking::Deliver(LoopState* loop, Session* writer) {
  const uint64_t writer_id = writer == nullptr ? 0 : writer->id;
  const uint64_t served_id = loop->before_reply && loop->serves != nullptr ? loop->serves->id : 0;
  std::vector<Messages> by_loop(static_cast<size_t>(server_->runtime().loops()));
  Collect(*loop, writer_id, &by_loop);
  for (Invalidation& invalidation : loop->op.invalidations) {
    if (!invalidation.broadcast) continue;
    loop->broadcasts.insert_or_assign(std::move(invalidation.key),
                                      invalidation.by_client ? writer_id : 0);
  }
  loop->op.invalidations.clear();
  for (size_t i = 0; i < by_loop.size(); ++i) {
    Messages others;
    for (Message& message : by_loop[i]) {
      // Who has done it himself is told right behind his reply, who waits for one right in front of
      // it; the others behind what the command has posted to them before.
      if (message.client == writer_id || message.client == served_id) {
        Hand(loop->index, message);
      } else {
        others.push_back(std::move(message));
      }
    }
    if (!others.empty()) Send(static_cast<int>(i), std::move(others));
  }
}

void Tracking::Collect(const LoopState& loop, uint64_t writer, std::vector<Messages>* by_loop) {
  for (const Invalidation& invalidation : loop.op.invalidations) {
    if (invalidation.everything) CollectFlush(by_loop);
    if (invalidation.clients.empty()) continue;
    Message message;
    message.keys = Spell({invalidation.key});
    message.writer = invalidation.by_client ? writer : 0;
    for (const TrackingClient client : invalidation.clients) {
      message.client = IdOf(client);
      (*by_loop)[static_cast<size_t>(LoopOf(client))].push_back(message);
    }
  }
}

// All keys are gone: everybody who tracks is told, however he does.
void Tracking::CollectFlush(std::vector<Messages>* by_loop) {
  if (totals().clients == 0) return;
  server_->clients().ForEach([by_loop](Session& session) {
    if (!session.tracks()) return;
    Message message;
    message.client = session.id;
    (*by_loop)[static_cast<size_t>(session.origin.loop)].push_back(message);
  });
}

void Tracking::Broadcast(LoopState* loop) {
  if (loop->broadcasts.empty()) return;
  std::map<std::string, uint64_t, std::less<>> changed;
  changed.swap(loop->broadcasts);
  std::vector<Messages> by_loop(static_cast<size_t>(server_->runtime().loops()));
  {
    MutexLock lock(&mutex_);
    for (const auto& [prefix, clients] : prefixes_) {
      const KeyNames keys = KeysOf(changed, prefix, /*except=*/0);
      if (keys.empty()) continue;
      Message message;
      message.broadcast = true;
      message.keys = Spell(keys);
      for (const uint64_t id : clients) {
        const Broadcaster& client = broadcasters_.at(id);
        message.client = id;
        Messages& messages = by_loop[static_cast<size_t>(client.loop)];
        messages.push_back(message);
        if (!client.no_loop) continue;
        const KeyNames others = KeysOf(changed, prefix, /*except=*/id);
        if (others.empty()) {
          messages.pop_back();
        } else if (others.size() < keys.size()) {
          messages.back().keys = Spell(others);
        }
      }
    }
  }
  for (size_t i = 0; i < by_loop.size(); ++i) {
    if (!by_loop[i].empty()) Send(static_cast<int>(i), std::move(by_loop[i]));
  }
}

void Tracking::Send(int loop, Messages messages) {
  server_->runtime().Post(loop, [this, loop, messages = std::move(messages)] {
    for (const Message& message : messages) Hand(loop, message);
  });
}

void Tracking::Hand(int loop, const Message& message) {
  Session* const session = Find(server_, loop, message.client);
  if (session == nullptr) return;
  const uint32_t flags = FlagsOf(*session);
  if (flags == 0) return;
  // A copy that was made before the client changed to prefixes, or the other way round.
  const bool broadcast = (flags & kTrackBroadcast) != 0;
  if (message.keys != nullptr && broadcast != message.broadcast) return;
  if ((flags & kTrackNoLoop) != 0 && message.writer == message.client) return;
  Push(session, message);
}

void Tracking::Push(Session* session, const Message& message) {
  const uint64_t redirect = session->tracking_redirect.load(std::memory_order_relaxed);
  if (redirect == 0) {
    const auto push = MessageFor(*session, message.keys.get(), /*redirected=*/false);
    if (push != nullptr) session->transport->Push(push);
    return;
  }
  const int loop = FindLoop(server_, redirect);
  if (loop == -1) {
    session->tracking.fetch_or(kTrackBrokenRedirect, std::memory_order_relaxed);
    if (session->resp() != RespVersion::kResp3) return;
    OutputBuffer out;
    ReplyWriter writer(&out, RespVersion::kResp3);
    writer.Push(2);
    writer.Bulk("tracking-redir-broken");
    writer.Integer(static_cast<int64_t>(redirect));
    return session->transport->Push(std::make_shared<const std::string>(out.Flatten()));
  }
  session->tracking.fetch_and(~uint32_t{kTrackBrokenRedirect}, std::memory_order_relaxed);
  const auto tell = [this, loop, redirect, keys = message.keys] {
    Session* const told = Find(server_, loop, redirect);
    if (told == nullptr) return;
    const auto push = MessageFor(*told, keys.get(), /*redirected=*/true);
    if (push != nullptr) told->transport->Push(push);
  };
  if (loop == session->origin.loop) {
    tell();
  } else {
    server_->runtime().Post(loop, tell);
  }
}

}  // namespace spinel
