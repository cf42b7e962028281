// One client's socket on its loop: reads, executes, answers.
//
// Reading goes into a buffer that all connections of the loop share; only what is left of a request
// that was cut short is copied into a buffer of the connection's own, which stays for the next one
// as long as there are such requests: a connection that has been idle for 2 s owns none. Replies
// are written to the loop's staging buffer and sent at once; only what the socket does not take
// moves to a buffer of the connection's own.
//
// Owner: its EventLoop; deletes itself through it once closed and no operation is outstanding.
// Threads: the loop's.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/output_buffer.h"
#include "protocol/resp_parser.h"
#include "server/dispatcher.h"
#include "server/input_buffer.h"
#include "server/session.h"
#include "server/tls_stream.h"

namespace spinel {

class EventLoop;

class Connection final : public Transport {
 public:
  using Socket = boost::asio::generic::stream_protocol::socket;
  static constexpr int64_t kPeerCheckMs = 50;  // how often CheckPeer is called
  static constexpr int64_t kShrinkMs = 500;    // and ShrinkInput

  // `tls`: null without TLS, else with its handshake done.
  Connection(EventLoop* loop, Socket socket, uint64_t id, Session::Origin origin, int64_t now_ms,
             std::unique_ptr<TlsStream> tls);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to read.
  void Start();
  // Sends what is waiting, then closes; or closes at once.
  void Close();
  // Closes at once, whatever is waiting.
  void Kill();
  // Answers a blocking command and goes on with what came behind it.
  void Unblock(std::string_view resp);
  // Goes on with requests that CLIENT PAUSE held back.
  void Resume();
  // Every now and then: time-outs and limits. `now_ms` Unix time.
  void CheckLimits(int64_t now_ms);
  // Looks whether the peer has closed right behind what was read last, which nothing else tells.
  // False: it is too early, because requests keep coming; to be called again.
  bool CheckPeer(int64_t now_ms);
  // Gives back what its input buffer has beyond what was needed of late. False: it has none.
  bool ShrinkInput(int64_t now_ms);

  // Transport.
  void Push(const std::shared_ptr<const std::string>& resp) override;
  // Sends what Push has added. True: Asio was asked for something on the way.
  bool FlushPushed();

  Session& session() { return session_; }
  uint64_t id() const { return session_.id; }

 private:
  // A buffer sequence that is chosen at the moment Asio reads, not before: see ChooseReadBuffer.
  class ReadTarget;
  friend class ReadTarget;
  enum class ReadInto : uint8_t { kLanding, kShared, kOwn };

  static constexpr size_t kSmallInput = 16 * 1024;
  // A client that is logged in gets so much at once for a value that it announces.
  static constexpr size_t kAnnouncedInput = 1024 * 1024;
  // Beyond, a client that has to wait waits for the kernel.
  static constexpr size_t kMaxHeldInput = 1024 * 1024;
  // A client that leaves so much unread has to read before its next requests are executed, which
  // it can still send: many write the whole pipeline first.
  static constexpr size_t kMaxUnreadReplies = 8 * 1024 * 1024;

  // Whether requests have to wait: for the end of a pause or of a blocking command,
  bool Waits() const {
    return session_.paused.load(std::memory_order_relaxed) || session_.blocked != nullptr;
  }
  // or also for the client to read.
  bool Held() const { return Waits() || unread_; }
  // How much a client may send while it is held.
  size_t MaxHeldInput() const;
  // Whether the client has to read first. An output limit for its class decides about it instead.
  bool LeavesTooMuchUnread() const;
  void GoOnIfRead();
  void GoOn();
  boost::asio::mutable_buffer ChooseReadBuffer();
  // Whether a read that happens now is handled before anything else: it is not being started, and
  // Asio has no write to complete before it.
  bool ReadsAtOnce() const { return !starting_read_ && !waiting_writable_; }
  void StartRead();
  void OnRead(const boost::system::error_code& error, size_t bytes);
  // The peer is done sending.
  void OnPeerDone();
  // Appends what the socket has right now to the data at `*data`. False: the peer closed.
  bool ReadMore(char* buffer, size_t* size, size_t capacity);
  void HandleInput(size_t bytes);
  void CountInput(size_t bytes);

  // Executes all whole requests at `data`, and keeps in input_ what cannot be executed yet. `data`
  // may be input_'s own.
  void ExecuteAndKeep(char* data, size_t size);
  void RefuseOverlong();
  // Returns how many bytes the executed requests took. `*held`: what is left in another form than
  // it has at `data`, or empty.
  size_t ExecuteAll(char* data, size_t size, std::string* held);
  std::string HeldRequests(const char* data, size_t executed, std::string_view behind) const;
  // Reads ahead for a client that has to wait, so that its leaving is noticed.
  void KeepWhileHeld(size_t bytes);
  // Room for what comes next behind what input_ holds, in line with what is expected; `arrived`
  // bytes of it are here already.
  bool ReserveInput(size_t arrived = 0);
  // Whether its own buffer is read into though it is empty: big requests have come of late.
  bool KeepsBigInput() const;
  InputBuffer::Room RoomForNext() const;
  size_t ParseBatch(char* data, size_t size, size_t* broken);
  // Returns how many requests of the batch were executed.
  size_t ExecuteBatch();
  // Pushes to this client by its own commands follow their replies.
  void StageDeferredPushes();
  void ProtocolError(std::string_view text);
  // Whether these are the first bytes of a TLS client, which would wait for an answer for ever.
  static bool BeginsTls(std::string_view bytes) { return bytes.starts_with("\x16\x03"); }
  void RefuseTls();
  const ParserLimits Limits() const;

  // With TLS. What has arrived is decrypted and executed as far as the client may go on.
  void HandleCiphertext(size_t bytes);
  void ReadDecrypted();
  void EndOfInput(TlsStream::Result result);
  bool SendEncrypted(OutputBuffer* buffer);
  // From the front of `buffer`, as much as is worth a send. False: the connection is broken.
  bool EncryptSome(OutputBuffer* buffer, OutputBuffer* encrypted);

  // Moves what Push has added behind what `to` holds.
  void TakeMessages(OutputBuffer* to);
  // Sends the staging buffer behind what is waiting.
  void FlushStaging();
  void AfterOutput();
  bool Send(OutputBuffer* buffer);
  void WaitWritable();
  void OnWritable(const boost::system::error_code& error);
  // Does anything wait for the socket?
  bool owes() const {
    return !pending_.empty() || !messages_.empty() || (tls_ != nullptr && tls_->owes());
  }
  bool OverOutputLimit(int64_t now_ms);
  void PublishSizes();
  // The part of it that may happen while Asio reads: it closes nobody.
  void PublishInput();

  // Before AUTH, where a password is needed: what anybody on the network may make the server hold
  // is little, and not for long.
  bool MustLogIn() const;
  bool UnreadBeforeLogin();
  void AccountBeforeLogin(size_t bytes);
  void CountBeforeLogin(size_t requests);
  void CloseNow();
  void MaybeDelete();

  EventLoop* const loop_;
  Socket socket_;
  Session session_;
  RespParser parser_;
  InputBuffer input_;
  OutputBuffer pending_;                                      // what the socket did not take
  std::vector<std::shared_ptr<const std::string>> messages_;  // pushed in this turn, behind that
  const std::unique_ptr<TlsStream> tls_;
  int64_t soft_limit_since_ms_ = 0;
  int64_t last_progress_ms_ = 0;
  size_t read_room_ = 0;             // see ReadTarget
  uint32_t before_login_bytes_ = 0;  // its part of the loop's count
  uint16_t before_login_requests_ = 0;
  uint8_t operations_ = 0;  // outstanding at Asio
  ReadInto read_into_ = ReadInto::kShared;
  bool starting_read_ = false;
  bool reading_ = false;
  bool drained_ = false;    // the read that is being handled got all there was
  bool unchecked_ = false;  // on the loop's list of those whose CheckPeer is due
  bool shrinks_ = false;    // on the loop's list of those whose ShrinkInput is due
  // Asio may have read into input_ what its handler has not seen yet.
  bool unseen_input_ = false;
  bool waiting_writable_ = false;
  bool executing_ = false;
  bool closed_ = false;
  bool closing_ = false;      // no more requests; closed once pending_ is sent
  bool pushed_ = false;       // on the loop's list of connections to flush
  bool unread_ = false;       // requests wait until the client has read what it is owed
  bool input_ended_ = false;  // the peer is done sending, while requests of it wait
  // Where a read that succeeds at once lands: it is handled later, when the shared buffer may be in
  // use for another connection.
  char landing_[16];
};

}  // namespace spinel
